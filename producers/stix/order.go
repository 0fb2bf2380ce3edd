package stix

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// sortEntities puts entities in the order of their encoding and drops equal
// ones, so that the order of the document does not matter.
func sortEntities(list []*wf.Entity) []*wf.Entity {
	type keyed struct {
		key string
		e   *wf.Entity
	}
	all := make([]keyed, len(list))
	for i, e := range list {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			return list // invalid text: Validate says so
		}
		all[i] = keyed{string(b), e}
	}
	slices.SortFunc(all, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	var out []*wf.Entity
	for i, k := range all {
		if i == 0 || k.key != all[i-1].key {
			out = append(out, k.e)
		}
	}
	return out
}
