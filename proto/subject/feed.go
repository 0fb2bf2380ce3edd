package subject

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// OwnFilters are the subjects by which a reader of a cell follows the feed
// there: exactly the stored reports that Matches accepts.
func (f Feed) OwnFilters() []string {
	var out []string
	for _, tail := range f.tails() {
		out = append(out, "report.*.*.*."+tail, "orcon.*.*.*.*."+tail)
	}
	return out
}

// UpwardFilters are the subjects by which a reader cleared for cell reader
// follows the feed in a cell below; above is every cell that dominates the one
// below.
func (f Feed) UpwardFilters(reader string, above []string) []string {
	var out []string
	for _, tail := range f.tails() {
		out = append(out, "report.*.*.*."+tail)
		for _, set := range cellSets(reader, above) {
			out = append(out, "orcon."+set+".*.*.*."+tail)
		}
	}
	return out
}

// tails writes <status>.<kind>.<state>.<county>.<agency> once for every pair
// of area tokens that the feed includes.
func (f Feed) tails() []string {
	status := f.Status
	if status == wf.Status_STATUS_UNSPECIFIED {
		status = wf.Status_STATUS_ACTUAL
	}
	var out []string
	for _, state := range areas(f.State) {
		for _, county := range areas(f.County) {
			out = append(out, StatusToken(status)+"."+orAny(KindToken(f.Kind))+"."+state+"."+county+"."+orAny(f.Agency))
		}
	}
	return out
}

func areas(token string) []string {
	switch token {
	case "":
		return []string{"*"}
	case None:
		return []string{None, Multi}
	case Multi:
		return []string{Multi, None}
	}
	return []string{token, Multi, None}
}

func orAny(token string) string {
	if token == "" {
		return "*"
	}
	return token
}

// Provisioned says whether a consumer's name is that of a worker, a replay or a
// feed, which the broker provisions; all others are their maker's.
func Provisioned(consumer string) bool {
	return strings.HasPrefix(consumer, "fusion_") || strings.HasPrefix(consumer, "replay_") || strings.HasPrefix(consumer, "feed_")
}
