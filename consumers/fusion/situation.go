package fusion

import (
	"cmp"
	"encoding/hex"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What a situation shows at most; members and links are never cut.
const (
	maxMentions = 32
	maxIgnored  = 16
	maxHull     = 32
)

func stamp(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }

// build makes the situation of a cluster from its sorted reports.
func (e *Engine) build(m []int32) *wf.Situation {
	first := &e.nodes[m[0]]
	s := &wf.Situation{Id: hex.EncodeToString(first.id[:]), Status: e.status, Members: make([]*wf.Member, len(m))}
	over, members := e.superseded(m), make([]wf.Member, len(m))
	last := first.time
	for i, n := range m {
		f := e.facts(n)
		last = max(last, f.time)
		o := &members[i]
		o.ReportId, o.Agency, o.Record, o.Cell = f.id.String(), e.names[f.agency], f.record, e.names[f.cell]
		o.Kind, o.EventTime, o.Revision = wf.Kind(f.kind), stamp(f.time), f.revision
		o.Superseded = over != nil && over[i]
		s.Members[i] = o
	}
	s.FirstEvent, s.LastEvent = stamp(first.time), stamp(last)
	s.Kind = e.kindOf(m)
	if len(m) > 1 {
		e.tree(s, m)
		e.mentions(s, m)
	}
	units := e.confidence(s, m)
	s.Originators = uint32(units)
	e.conditions(s, m, over)
	e.whereabouts(s, m)
	s.Trend = e.trend(m, last)
	s.Headline = e.headline(s, m)
	s.Score = scoreOf(s)
	return s
}

// superseded says which members a later message of their chain replaces. It
// goes by report time, whatever came first; nil when none is.
func (e *Engine) superseded(m []int32) []bool {
	var later map[uint64][]int32
	for _, n := range m {
		for _, h := range e.facts(n).supersede {
			if h == 0 {
				continue
			}
			if later == nil {
				later = map[uint64][]int32{}
			}
			later[h] = append(later[h], n)
		}
	}
	if later == nil {
		return nil
	}
	out := make([]bool, len(m))
	for i, n := range m {
		if own := e.facts(n).own; own != 0 {
			out[i] = slices.ContainsFunc(later[own], func(u int32) bool { return e.supersedes(u, n) })
		}
	}
	return out
}

// supersedes says whether u may replace n: later, and from the same source.
func (e *Engine) supersedes(u, n int32) bool {
	if u == n {
		return false
	}
	a, b := e.facts(u), e.facts(n)
	if a.reported < b.reported || a.reported == b.reported && e.nodes[u].before(&e.nodes[n]) {
		return false
	}
	if a.agency == b.agency {
		return true
	}
	sa, _, oka := strings.Cut(a.record, ",")
	sb, _, okb := strings.Cut(b.record, ",")
	return oka && okb && strings.EqualFold(sa, sb)
}

// kindOf is the commonest kind; of equals the first.
func (e *Engine) kindOf(m []int32) wf.Kind {
	var count [256]int32
	for _, n := range m {
		count[e.facts(n).kind]++
	}
	best := 0
	for k := 1; k < 32; k++ {
		if count[k] > count[best] {
			best = k
		}
	}
	return wf.Kind(best)
}

// mentions counts the things that several members speak of, and what was
// given no weight.
func (e *Engine) mentions(s *wf.Situation, m []int32) {
	type seen struct {
		key   key
		node  int32
		kind  weight
		value string
	}
	var all []seen
	for _, n := range m {
		for i := range e.facts(n).ids {
			if d := &e.facts(n).ids[i]; d.kind != wReference && d.kind != wObject && d.kind != wStreet {
				all = append(all, seen{d.key, n, d.kind, d.value})
			}
		}
		for _, l := range e.facts(n).ignored {
			all = append(all, seen{l.key, n, wNone, l.value})
		}
	}
	slices.SortFunc(all, func(a, b seen) int { return cmp.Or(cmp.Compare(a.key, b.key), strings.Compare(a.value, b.value)) })
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].key == all[i].key {
			j++
		}
		run := all[i:j]
		i = j
		if len(run) < 2 {
			continue
		}
		v := run[0].value
		if run[0].key.kind() == keyPersonNumber {
			v = masked(v)
		}
		if run[0].kind == wNone {
			s.Ignored = append(s.Ignored, &wf.Ignored{Kind: kindName(run[0].key), Value: v, Reason: "stop-list", Members: uint32(len(run))})
			continue
		}
		s.Mentions = append(s.Mentions, &wf.Mention{Kind: kindName(run[0].key), Value: v, Members: uint32(len(run))})
		if slices.ContainsFunc(run, func(x seen) bool { return e.hub(x.key, e.nodes[x.node].time) }) {
			s.Ignored = append(s.Ignored, &wf.Ignored{Kind: kindName(run[0].key), Value: v, Reason: "hub", Members: uint32(len(run))})
		}
	}
	slices.SortFunc(s.Mentions, func(a, b *wf.Mention) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
	})
	s.Mentions = s.Mentions[:min(len(s.Mentions), maxMentions)]
	slices.SortFunc(s.Ignored, func(a, b *wf.Ignored) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
	})
	s.Ignored = s.Ignored[:min(len(s.Ignored), maxIgnored)]
}

var kindNames = [keyTypes]string{
	keyReference: "reference", keyPersonNumber: "person-number", keyVIN: "vin", keyHash: "hash", keyDevice: "device-number",
	keyCraft: "craft", keyEvent: "event-key", keySerial: "serial", keyPlate: "plate", keyPhone: "phone", keyEmail: "e-mail",
	keyAccount: "account", keyURL: "url", keyAddress: "address", keyDomain: "domain", keyIP: "ip", keyCIDR: "cidr",
	keyObject: "object", keyOtherID: "other-id", keyStreet: "street", keyOrganization: "organization", keyTarget: "target",
	keyMalware: "malware", keyCVE: "cve",
}

func kindName(k key) string {
	if t := k.kind(); t < keyTypes {
		return kindNames[t]
	}
	return ""
}

// conditions sets severity and whether it is over.
func (e *Engine) conditions(s *wf.Situation, m []int32, over []bool) {
	var worst, any uint8
	s.Ended = true
	for i, n := range m {
		f := e.facts(n)
		any = max(any, f.severity)
		if over != nil && over[i] {
			continue
		}
		worst = max(worst, f.severity)
		if !f.cancel && (f.expires == 0 || f.expires > e.now) {
			s.Ended = false
		}
	}
	if worst == 0 {
		worst = any
	}
	s.Severity = wf.Severity(worst)
}

// trendSize is how many reports it takes to speak of a trend.
const trendSize = 3

// trend compares the day up to the last event with the day before it; a day
// of silence is a fall.
func (e *Engine) trend(m []int32, last int64) wf.Trend {
	if len(m) < trendSize {
		return wf.Trend_TREND_STEADY
	}
	if e.now >= last+dayMs {
		return wf.Trend_TREND_FALLING
	}
	recent, prior := 0, 0
	for _, n := range m {
		switch age := last - e.nodes[n].time; {
		case age < dayMs:
			recent++
		case age < 2*dayMs:
			prior++
		}
	}
	switch {
	case recent >= 2*prior+2:
		return wf.Trend_TREND_RISING
	case prior >= 2*recent+2:
		return wf.Trend_TREND_FALLING
	}
	return wf.Trend_TREND_STEADY
}

// scoreOf ranks situations for a screen: severity, confidence, independent
// sources, size; what is over counts a quarter.
func scoreOf(s *wf.Situation) int32 {
	v := 100*int32(s.Severity) + s.ConfidencePermille/5 +
		40*int32(bits.Len32(s.Originators)) + 20*int32(bits.Len(uint(len(s.Members))))
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
	case strings.HasSuffix(one, "y"):
		return strconv.Itoa(n) + " " + one[:len(one)-1] + "ies"
	}
	return strconv.Itoa(n) + " " + one + "s"
}
