package cap

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// vtecPattern is a primary VTEC string: product class, action, office,
// phenomenon, significance, event number, begin, end.
var vtecPattern = regexp.MustCompile(`/([OTEX])\.(NEW|CON|EXT|EXA|EXB|UPG|CAN|EXP|COR|ROU)\.([A-Z]{4})\.([A-Z]{2})\.([A-Z])\.(\d{4})\.(\d{6})T(\d{4})Z-(\d{6}T\d{4})Z/`)

// vtec adds the event keys of VTEC as identifiers: they are the same in every
// message of an event, whoever relays it.
func (c *converter) vtec(r *wf.Report) {
	var keys []string
	for i := range c.a.Infos {
		for _, p := range c.a.Infos[i].Parameters {
			if p.Name == "VTEC" || p.Name == "NWSVTEC" {
				keys = append(keys, eventKeys(p.Value, c.sent)...)
			}
		}
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		r.Entities = append(r.Entities, &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED, Description: "weather event",
			Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_VTEC, Value: k}}})
	}
}

// eventKeys lists office.phenomenon.significance.number.year of each VTEC
// string. The year is that of the beginning; of the message when the string
// leaves it open, because the event is under way. Test products have no key.
func eventKeys(s string, sent time.Time) []string {
	var out []string
	for _, m := range vtecPattern.FindAllStringSubmatch(s, -1) {
		if m[1] == "T" {
			continue
		}
		year := sent.Year()
		if m[7] != "000000" {
			yy, err := strconv.Atoi(m[7][:2])
			if err != nil {
				continue
			}
			year = 2000 + yy
		}
		out = append(out, m[3]+"."+m[4]+"."+m[5]+"."+m[6]+"."+strconv.Itoa(year))
	}
	return out
}
