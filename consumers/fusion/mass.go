package fusion

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// A component of more than massSize reports is one mass situation. Its parts
// are what stays together when the threshold is raised for it alone, in steps:
// each part is as large as it can be without passing massSize. They are a
// function of the component's links, so of the set of live reports.
const (
	massSize = 512
	// massStep is by how many millibits the threshold is raised at a time.
	massStep = 2_000
	// massSteps is how often: all evidence of a pair together is far below.
	massSteps = 64
	// maxParts and maxNamed bound what one message shows of it.
	maxParts = 64
	maxNamed = 128
)

// fragment is a piece of a mass situation.
type fragment struct {
	oldest   int32 // node
	size     int32
	severity uint8
	crossing int32 // its strongest link to the rest
	members  []int32
}

// mass shows a component of more than massSize reports, the oldest first.
func (e *Engine) mass(m []int32) *wf.Situation {
	g := &e.gathered
	e.gather(g, m, nil)
	s := &wf.Situation{Roll: e.roll(g)}
	links := e.spans(m)
	s.LinkCount = uint32(len(links))
	of, all, part := e.fragments(g, links)
	s.PartingMillibits = part
	for i := range all {
		if all[i].size == 1 {
			s.Alone++
		} else if all[i].size > 0 {
			s.PartCount++
		}
	}
	shown := e.gravest(all)
	for i := range m {
		if f := &all[of[i]]; f.members != nil {
			f.members = append(f.members, int32(i))
		}
	}
	for _, i := range shown {
		e.part(s, g, &all[i], maxNamed/len(shown))
	}
	if len(shown) == 0 {
		e.newest(s, g)
	}
	e.describe(s, g)
	return s
}

// roll is a fingerprint of who is in it, in which revision: a sum, so that no
// order enters it.
func (e *Engine) roll(g *gathering) []byte {
	var a, b uint64
	for i, n := range g.members {
		id := &e.nodes[n].id
		x, y := binary.LittleEndian.Uint64(id[:8]), binary.LittleEndian.Uint64(id[8:])
		a += mix(x, mix(y, g.all[i].revision))
		b += mix(y, mix(g.all[i].revision, x))
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, a), b)
}

// fragments are the pieces: which one each member belongs to, and the
// threshold from which all of them are apart. Links are taken from the
// strongest step down; a step joins two pieces if all it joins them with,
// through links of this step and stronger ones, is no more than massSize.
func (e *Engine) fragments(g *gathering, links []span) (of []int32, all []fragment, part int32) {
	var starts [massSteps + 1]int32
	step := func(bits int32) int { return min(max(int(bits-e.threshold)/massStep, 0), massSteps-1) }
	for _, l := range links {
		starts[massSteps-1-step(l.bits)+1]++
	}
	for i := range massSteps {
		starts[i+1] += starts[i]
	}
	sorted, at := make([]span, len(links)), starts
	for _, l := range links {
		i := massSteps - 1 - step(l.bits)
		sorted[at[i]] = l
		at[i]++
	}
	whole, pieces := newSized(len(g.members)), newSized(len(g.members))
	for i := range massSteps {
		run := sorted[starts[i]:starts[i+1]]
		for _, l := range run {
			whole.join(l.a, l.b)
		}
		for _, l := range run {
			if int(whole.size[whole.find(l.a)]) <= e.massSize {
				pieces.join(l.a, l.b)
			} else if part == 0 {
				part = e.threshold + int32(massSteps-i)*massStep
			}
		}
	}
	return pieces.union, e.describePieces(g, links, pieces), part
}

// describePieces sums up every piece under its leader's index.
func (e *Engine) describePieces(g *gathering, links []span, pieces sized) []fragment {
	all := make([]fragment, len(g.members))
	for i, n := range g.members {
		r := pieces.find(int32(i))
		pieces.union[i] = r
		f := &all[r]
		if f.size == 0 || e.nodes[n].before(&e.nodes[f.oldest]) {
			f.oldest = n
		}
		f.size++
		if w := &g.all[i]; !w.over {
			f.severity = max(f.severity, w.severity)
		}
	}
	for _, l := range links {
		if a, b := pieces.union[l.a], pieces.union[l.b]; a != b {
			all[a].crossing = max(all[a].crossing, l.bits)
			all[b].crossing = max(all[b].crossing, l.bits)
		}
	}
	return all
}

// gravest are the pieces of two or more that are shown: the most severe first,
// of equals the largest, then the oldest.
func (e *Engine) gravest(all []fragment) []int32 {
	var out []int32
	for i := range all {
		if all[i].size > 1 {
			out = append(out, int32(i))
		}
	}
	slices.SortFunc(out, func(a, b int32) int {
		x, y := &all[a], &all[b]
		if c := cmp.Or(cmp.Compare(y.severity, x.severity), cmp.Compare(y.size, x.size)); c != 0 || a == b {
			return c
		}
		if e.nodes[x.oldest].before(&e.nodes[y.oldest]) {
			return -1
		}
		return 1
	})
	out = out[:min(len(out), maxParts)]
	for _, i := range out {
		all[i].members = make([]int32, 0, all[i].size)
	}
	return out
}

// part describes a piece as the situation it would be by itself, and lists at
// most some of its reports with what holds those together.
func (e *Engine) part(s *wf.Situation, g *gathering, f *fragment, most int) {
	slices.SortFunc(f.members, func(a, b int32) int { return e.inPicture(g.members[a], g.members[b]) })
	m := make([]int32, len(f.members))
	for i, x := range f.members {
		m[i] = g.members[x]
	}
	e.piece.pick(g, m, f.members)
	var x wf.Situation
	e.describe(&x, &e.piece)
	p := &wf.Part{
		Id: partID(e.nodes[m[0]].id).String(), Size: x.Size, Kind: x.Kind, Headline: x.Headline, Severity: x.Severity, ConfidencePermille: x.ConfidencePermille,
		Originators: x.Originators, FirstEvent: x.FirstEvent, LastEvent: x.LastEvent, Center: x.Center, UncertaintyM: x.UncertaintyM,
		PartingMillibits: f.crossing, FirstMember: uint32(len(s.Members)), Ended: x.Ended,
	}
	listed := m[:min(len(m), most)]
	p.Listed = uint32(len(listed))
	s.Parts = append(s.Parts, p)
	links := e.shownLinks(spanning(e.spans(listed), len(listed)), listed)
	for _, l := range links {
		l.A, l.B = l.A+p.FirstMember, l.B+p.FirstMember
	}
	s.Links = append(s.Links, links...)
	e.list(s, g, f.members[:len(listed)])
}

// list appends members of a mass situation by index.
func (e *Engine) list(s *wf.Situation, g *gathering, which []int32) {
	for _, i := range which {
		o := &wf.Member{Superseded: g.all[i].over}
		e.member(o, e.facts(g.members[i]))
		s.Members = append(s.Members, o)
	}
}

// newest lists the last reports of a mass situation that has no parts.
func (e *Engine) newest(s *wf.Situation, g *gathering) {
	later := func(a, b int32) bool { return e.nodes[g.members[b]].before(&e.nodes[g.members[a]]) }
	var top []int32 // the newest first
	for i := range g.members {
		at := len(top)
		if at == maxNamed {
			if !later(int32(i), top[at-1]) {
				continue
			}
			top = top[:at-1]
			at--
		}
		for at > 0 && later(int32(i), top[at-1]) {
			at--
		}
		top = slices.Insert(top, at, int32(i))
	}
	slices.SortFunc(top, func(a, b int32) int { return e.inPicture(g.members[a], g.members[b]) })
	e.list(s, g, top)
}

// sized is a union that knows how large each set is.
type sized struct {
	union
	size []int32
}

func newSized(n int) sized {
	s := sized{newUnion(n), make([]int32, n)}
	for i := range s.size {
		s.size[i] = 1
	}
	return s
}

// join merges two sets, the larger leads.
func (s sized) join(a, b int32) {
	a, b = s.find(a), s.find(b)
	if a == b {
		return
	}
	if s.size[a] < s.size[b] {
		a, b = b, a
	}
	s.union[b] = a
	s.size[a] += s.size[b]
}

// partID turns the identity of a part's oldest member into the id of the part,
// and back: another than the situation's own, which may begin with it too.
func partID(id ident) ident {
	for i := range id {
		id[i] ^= 0xff
	}
	return id
}

// partOf is the members of a part of a mass situation, by the part's id.
func (e *Engine) partOf(id ident) ([]int32, bool) {
	n := e.know(partID(id))
	if n == 0 || int(e.comps[e.nodes[n].comp].size) <= e.massSize {
		return nil, false
	}
	m := e.ring(e.nodes[n].comp)
	e.gather(&e.gathered, m, nil)
	of, all, _ := e.fragments(&e.gathered, e.spans(m))
	at := slices.Index(m, n)
	if all[of[at]].size < 2 {
		return nil, false
	}
	var out []int32
	for i, x := range m {
		if of[i] == of[at] {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, e.inPicture)
	return out, out[0] == n
}

func (id ident) String() string { return hex.EncodeToString(id[:]) }
