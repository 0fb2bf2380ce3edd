package fusion

import (
	"encoding/hex"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What a situation shows at most; members and links are cut in a mass
// situation only.
const (
	maxMentions = 32
	maxIgnored  = 16
)

func stamp(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }

// build makes the situation of a cluster from its reports, sorted; those of
// a mass situation need only begin with the oldest.
func (e *Engine) build(m []int32) *wf.Situation {
	if len(m) > e.massSize {
		return e.mass(m)
	}
	s := &wf.Situation{Members: make([]*wf.Member, len(m))}
	members := make([]wf.Member, len(m))
	g := &e.gathered
	e.gather(g, m, func(i int, f *facts) {
		s.Members[i] = &members[i]
		e.member(s.Members[i], f)
	})
	for i := range members {
		members[i].Superseded = g.all[i].over
	}
	if len(m) > 1 {
		e.tree(s, m)
	}
	e.describe(s, g)
	return s
}

// member is one report as a situation names it.
func (e *Engine) member(o *wf.Member, f *facts) {
	o.ReportId, o.Agency, o.Record, o.Cell = f.id.String(), e.words.texts[f.agency], f.record, e.words.texts[f.cell]
	o.Kind, o.EventTime, o.Revision = wf.Kind(f.kind), stamp(f.time), f.revision
}

// describe fills in what all members say together, from oldest to gravity. It
// depends on no order of the members but that the first is the oldest.
func (e *Engine) describe(s *wf.Situation, g *gathering) {
	first := &e.nodes[g.members[0]]
	s.Id, s.Status, s.Size = hex.EncodeToString(first.id[:]), e.status, uint32(len(g.all))
	last := first.time
	for i := range g.all {
		last = max(last, g.all[i].time)
	}
	s.FirstEvent, s.LastEvent = stamp(first.time), stamp(last)
	s.Kind = g.kind()
	e.mentions(s, g)
	mb, voices := g.confidence(e)
	s.ConfidencePermille, s.Originators = permille(mb), uint32(voices)
	e.conditions(s, g)
	g.whereabouts(s)
	s.Trend = g.trendOf(e.now, last)
	s.Headline = e.headline(s, g)
	s.Score = scoreOf(s)
}

// kind is the commonest kind; of equals the first.
func (g *gathering) kind() wf.Kind {
	var count [256]int32
	for i := range g.all {
		count[g.all[i].kind]++
	}
	best := 0
	for k := 1; k < 32; k++ {
		if count[k] > count[best] {
			best = k
		}
	}
	return wf.Kind(best)
}

// conditions sets severity, gravity and whether it is over. What a later
// message replaces counts only when nothing else does.
func (e *Engine) conditions(s *wf.Situation, g *gathering) {
	var worst, gravity [2]int32 // of all; of those that stand
	s.Ended = true
	for i := range g.all {
		w := &g.all[i]
		for k := range 2 {
			if k == 0 || !w.over {
				worst[k], gravity[k] = max(worst[k], int32(w.severity)), max(gravity[k], w.gravity())
			}
		}
		if !w.over && !w.cancel && (w.expires == 0 || w.expires > e.now) {
			s.Ended = false
		}
	}
	k := 1
	if worst[1] == 0 {
		k = 0
	}
	s.Severity, s.Gravity = wf.Severity(worst[k]), gravity[k]+manyVoices(int(s.Originators))
}

// scoreOf ranks situations for a screen: gravity (severity, trust and the
// number of independent originators), confidence, size; what is over counts a
// quarter.
func scoreOf(s *wf.Situation) int32 {
	v := s.Gravity/10 + s.ConfidencePermille/5 + 20*int32(bits.Len32(s.Size))
	if s.Trend == wf.Trend_TREND_RISING {
		v += 50
	}
	if s.Ended {
		v /= 4
	}
	return v
}

func plural(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "ss"):
		return strconv.Itoa(n) + " " + one + "es"
	case strings.HasSuffix(one, "y") && !strings.HasSuffix(one, "ay"):
		return strconv.Itoa(n) + " " + one[:len(one)-1] + "ies"
	}
	return strconv.Itoa(n) + " " + one + "s"
}
