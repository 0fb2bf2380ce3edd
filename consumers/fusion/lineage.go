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

// lineage says what became of a situation that is in the picture now: every
// way its reports came, and how it is beside what it was. It tells of one
// commit and is no part of the digest: who commits more often sees more steps.
//
// Whoever adds the id of every BORN and SPLIT to a set and takes that of every
// MERGED and GONE away holds the ids of the picture; and a report that was in
// one id and is in another has a MERGED or SPLIT that names both.
func (e *Engine) lineage(f fresh, was *picture, alive map[ident]bool) []*wf.LineageEvent {
	var out []*wf.LineageEvent
	for _, p := range f.from {
		if o := e.pictures[p].id; o != f.p.id && alive[o] {
			out = append(out, event(wf.LineageType_LINEAGE_TYPE_SPLIT, f.p.id, o))
		}
	}
	switch {
	case was == nil && len(out) == 0:
		out = append(out, event(wf.LineageType_LINEAGE_TYPE_BORN, f.p.id, ident{}))
	case was == nil:
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
// into each that has reports of it, or gone.
func (e *Engine) ends(made []fresh, old []int32, alive map[ident]bool) []*wf.LineageEvent {
	heirs := map[int32][]ident{}
	for _, f := range made {
		for _, p := range f.from {
			heirs[p] = append(heirs[p], f.p.id)
		}
	}
	var out []*wf.LineageEvent
	for _, p := range old {
		id := e.pictures[p].id
		if alive[id] {
			continue
		}
		for _, heir := range heirs[p] {
			out = append(out, event(wf.LineageType_LINEAGE_TYPE_MERGED, id, heir))
		}
		if len(heirs[p]) == 0 {
			out = append(out, event(wf.LineageType_LINEAGE_TYPE_GONE, id, ident{}))
		}
	}
	return slices.Clip(out)
}
