package fusion

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// picture is what was committed of a situation: not the situation itself,
// which is built again from its members when somebody asks.
type picture struct {
	id    ident
	hash  sum
	head  int32 // a member, or 0
	size  int32
	ended bool
	stale bool  // a Commit under way replaces it
	lost  bool  // it lost a report since the last Commit
	due   int64 // the first tick at which time alone may change its trend; 0 none
}

// loseFrom notes that a report of a committed situation is gone.
func (e *Engine) loseFrom(p int32) {
	if !e.pictures[p].lost {
		e.pictures[p].lost = true
		e.lost = append(e.lost, p)
	}
}

func (e *Engine) newPicture(p picture) int32 {
	if l := len(e.freePictures); l > 0 {
		i := e.freePictures[l-1]
		e.freePictures = e.freePictures[:l-1]
		e.pictures[i] = p
		return i
	}
	e.pictures = append(e.pictures, p)
	return int32(len(e.pictures) - 1)
}

// fresh is a situation that this Commit built, and where its reports were before.
type fresh struct {
	s    *wf.Situation
	p    picture
	from []int32 // pictures, sorted, unique
}

// Commit brings the picture up to date and says what changed since the last.
// Only clusters that something touched are looked at.
func (e *Engine) Commit() Delta {
	var old []int32
	retire := func(p int32) {
		if p != 0 && !e.pictures[p].stale {
			e.pictures[p].stale = true
			old = append(old, p)
		}
	}
	for _, p := range e.lost {
		retire(p)
	}
	e.lost = e.lost[:0]
	made := make([]fresh, 0, len(e.dirty))
	for _, c := range e.dirty {
		e.comps[c].dirty = false
		if e.comps[c].size == 0 {
			e.freeComps = append(e.freeComps, c)
			continue
		}
		f := e.renew(c)
		for _, p := range f.from {
			retire(p)
		}
		made = append(made, f)
	}
	e.dirty = e.dirty[:0]
	slices.SortFunc(made, func(a, b fresh) int { return strings.Compare(a.s.Id, b.s.Id) })
	slices.SortFunc(old, func(a, b int32) int { return cmp.Compare(string(e.pictures[a].id[:]), string(e.pictures[b].id[:])) })
	d := e.difference(made, old)
	e.publish(made, old)
	return d
}

// renew builds the situation of a component and notes where its reports come from.
func (e *Engine) renew(c int32) fresh {
	m := e.ring(c)
	f := fresh{}
	for _, n := range m {
		if p := e.nodes[n].pict; p != 0 {
			f.from = append(f.from, p)
		}
	}
	slices.Sort(f.from)
	f.from = slices.Compact(f.from)
	f.s = seal(e.build(m))
	e.buf = appendCanonical(e.buf[:0], f.s)
	f.p = picture{hash: sumOf(sha256.Sum256(e.buf)), head: m[0], size: int32(len(m)), ended: f.s.Ended}
	f.p.id = e.nodes[m[0]].id
	f.p.due = e.gathered.due(e.now)
	return f
}

// ring lists the reports of a component in the order of the picture: event
// time, then cell, agency, id. Of a mass situation the oldest comes first, the
// rest as they are.
func (e *Engine) ring(c int32) []int32 {
	m := e.members[:0]
	h := e.comps[c].head
	for n := h; ; {
		m = append(m, n)
		if n = e.nodes[n].next; n == h {
			break
		}
	}
	e.members = m
	if len(m) > e.massSize {
		e.oldestFirst(m)
	} else if len(m) > 1 {
		slices.SortFunc(m, e.inPicture)
	}
	return m
}

// oldestFirst is all the order that a mass situation needs.
func (e *Engine) oldestFirst(m []int32) {
	for i := range m {
		if e.inPicture(m[i], m[0]) < 0 {
			m[0], m[i] = m[i], m[0]
		}
	}
}

func (e *Engine) inPicture(a, b int32) int {
	x, y := &e.nodes[a], &e.nodes[b]
	if x.time != y.time {
		return cmp.Compare(x.time, y.time)
	}
	f, g := e.facts(a), e.facts(b)
	return cmp.Or(strings.Compare(e.words.texts[f.cell], e.words.texts[g.cell]), strings.Compare(e.words.texts[f.agency], e.words.texts[g.agency]),
		f.id.compare(g.id))
}

// difference compares what was with what is: both sorted by id.
func (e *Engine) difference(made []fresh, old []int32) Delta {
	var d Delta
	alive := make(map[ident]bool, len(made))
	for _, f := range made {
		alive[f.p.id] = true
	}
	i := 0
	for _, f := range made {
		for ; i < len(old) && cmp.Compare(string(e.pictures[old[i]].id[:]), string(f.p.id[:])) < 0; i++ {
			d.Changes = append(d.Changes, removed(e.pictures[old[i]].id))
		}
		var was *picture
		if i < len(old) && e.pictures[old[i]].id == f.p.id {
			was = &e.pictures[old[i]]
			i++
		}
		if was == nil || was.hash != f.p.hash {
			d.Changes = append(d.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: f.s}})
		}
		d.Lineage = append(d.Lineage, e.lineage(f, was, alive)...)
	}
	for ; i < len(old); i++ {
		d.Changes = append(d.Changes, removed(e.pictures[old[i]].id))
	}
	d.Lineage = append(d.Lineage, e.ends(made, old, alive)...)
	return d
}

func removed(id ident) *wf.Change {
	return &wf.Change{Change: &wf.Change_Removed{Removed: hex.EncodeToString(id[:])}}
}

// publish makes the new situations the committed picture.
func (e *Engine) publish(made []fresh, old []int32) {
	for _, p := range old {
		e.digest.sub(e.pictures[p].hash)
		e.unname(p)
		e.pictures[p] = picture{}
		e.freePictures = append(e.freePictures, p)
	}
	e.situations += len(made) - len(old)
	for _, f := range made {
		p := e.newPicture(f.p)
		e.expect(p)
		e.name(p)
		e.digest.add(f.p.hash)
		h := f.p.head
		for n := h; ; {
			e.nodes[n].pict = p
			if n = e.nodes[n].next; n == h {
				break
			}
		}
	}
	e.committedReports = e.reports
}

// Digest is the digest of the picture as of the last Commit.
func (e *Engine) Digest() [32]byte { return e.digest.bytes() }

// Situations is the whole picture, sorted by id, as it is now; equal to what
// was committed when nothing was applied since.
func (e *Engine) Situations() []*wf.Situation {
	out := make([]*wf.Situation, 0, e.situations)
	for s := range e.All() {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *wf.Situation) int { return strings.Compare(a.Id, b.Id) })
	return out
}

// All is Situations one by one, in no order. Leave the engine alone meanwhile.
func (e *Engine) All() iter.Seq[*wf.Situation] {
	return func(yield func(*wf.Situation) bool) {
		for c := range e.comps {
			if e.comps[c].size > 0 && !yield(seal(e.build(e.ring(int32(c))))) {
				return
			}
		}
	}
}

// Situation is one situation as it is now, or one part of a mass situation in
// full. The id is one of the last Commit.
func (e *Engine) Situation(id string) (*wf.Situation, bool) {
	m, ok := e.find(id)
	if !ok {
		return nil, false
	}
	return seal(e.build(m)), true
}

// find lists the members of a committed situation, or of a part of a mass
// situation, as they are now.
func (e *Engine) find(id string) ([]int32, bool) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(ident{}) {
		return nil, false
	}
	p := e.named(ident(raw))
	if p == 0 {
		return e.partOf(ident(raw))
	}
	h := e.pictures[p].head
	if e.nodes[h].pict != p {
		return nil, false // withdrawn since; the next Commit says so
	}
	return e.ring(e.nodes[h].comp), true
}
