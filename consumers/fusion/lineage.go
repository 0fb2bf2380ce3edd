package fusion

import (
	"encoding/hex"
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func event(t wf.LineageType, id, other ident) *wf.LineageEvent {
	out := &wf.LineageEvent{Type: t, SituationId: hex.EncodeToString(id[:])}
	if other != (ident{}) {
		out.OtherId = hex.EncodeToString(other[:])
	}
	return out
}

// lineage says what became of a situation that is in the picture now. It
// tells of one commit and is no part of the digest: who commits more often
// sees more steps.
func (e *Engine) lineage(f fresh, was *picture, alive map[ident]bool) []*wf.LineageEvent {
	var out []*wf.LineageEvent
	switch {
	case was == nil && len(f.from) == 0:
		out = append(out, event(wf.LineageType_LINEAGE_TYPE_BORN, f.p.id, ident{}))
	case was == nil:
		// A new name for reports that were known: part of a situation that goes
		// on under its own name, or heir of those that do not.
		for _, p := range f.from {
			if o := e.pictures[p].id; alive[o] {
				out = append(out, event(wf.LineageType_LINEAGE_TYPE_SPLIT, f.p.id, o))
				break
			}
		}
		if out == nil {
			out = append(out, event(wf.LineageType_LINEAGE_TYPE_BORN, f.p.id, ident{}))
		}
	case f.p.size > was.size:
		out = append(out, event(wf.LineageType_LINEAGE_TYPE_GREW, f.p.id, ident{}))
	case f.p.size < was.size:
		out = append(out, event(wf.LineageType_LINEAGE_TYPE_SHRANK, f.p.id, ident{}))
	}
	if f.p.ended && (was == nil || !was.ended) {
		out = append(out, event(wf.LineageType_LINEAGE_TYPE_ENDED, f.p.id, ident{}))
	}
	return out
}

// ends says what became of situations that are in the picture no more: merged
// into the one that holds their reports, or ended.
func (e *Engine) ends(made []fresh, old []int32, alive map[ident]bool) []*wf.LineageEvent {
	heirs := map[int32]ident{}
	for _, f := range made {
		for _, p := range f.from {
			if _, ok := heirs[p]; !ok {
				heirs[p] = f.p.id
			}
		}
	}
	var out []*wf.LineageEvent
	for _, p := range old {
		id := e.pictures[p].id
		if alive[id] {
			continue
		}
		if heir, ok := heirs[p]; ok {
			out = append(out, event(wf.LineageType_LINEAGE_TYPE_MERGED, id, heir))
		} else {
			out = append(out, event(wf.LineageType_LINEAGE_TYPE_ENDED, id, ident{}))
		}
	}
	return slices.Clip(out)
}
