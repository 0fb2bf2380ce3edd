package fusion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What is read aloud at most.
const (
	saidReports = 40
	saidLinks   = 40
)

// Read is the explanation of a situation in lines that can be read aloud, from
// what it carries itself: what it is, who reported, every link of its tree from
// the strongest to the weakest, what it would fall apart into, and what was
// ignored.
func Read(s *wf.Situation) []string {
	out := []string{s.GetHeadline() + "."}
	out = append(out, standing(s), whereText(s))
	out = append(out, reportLines(s)...)
	out = append(out, partLines(s)...)
	out = append(out, linkLines(s)...)
	out = append(out, bridgeLine(s))
	for _, i := range s.GetIgnored() {
		out = append(out, ignoredLine(i))
	}
	return slices.DeleteFunc(out, func(l string) bool { return l == "" })
}

func enumWord(name, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", " "))
}

// standing says how grave, how sure and how lively it is.
func standing(s *wf.Situation) string {
	severity := enumWord(s.GetSeverity().String(), "SEVERITY_")
	if s.GetSeverity() == wf.Severity_SEVERITY_UNSPECIFIED {
		severity = "not given"
	}
	line := fmt.Sprintf("Severity %s; confidence %d.%d percent from %s", severity,
		s.GetConfidencePermille()/10, s.GetConfidencePermille()%10, plural(int(s.GetOriginators()), "independent originator"))
	if s.GetTrend() != wf.Trend_TREND_UNSPECIFIED {
		line += "; trend " + enumWord(s.GetTrend().String(), "TREND_")
	}
	first, last := s.GetFirstEvent().AsTime(), s.GetLastEvent().AsTime()
	if first.Equal(last) {
		return line + "; at " + moment(first) + "."
	}
	return line + "; from " + moment(first) + " to " + moment(last) + "."
}

func whereText(s *wf.Situation) string {
	c := s.GetCenter()
	if c == nil {
		return ""
	}
	line := fmt.Sprintf("Around %.4f, %.4f, give or take %s", c.GetLatitude(), c.GetLongitude(), lengthText(s.GetUncertaintyM()))
	if len(s.GetHull()) > 0 {
		line += "; all its places lie within " + areaText(s.GetAreaM2())
	}
	return line + "."
}

func reportLines(s *wf.Situation) []string {
	var out []string
	for i, m := range s.GetMembers()[:min(len(s.GetMembers()), saidReports)] {
		line := fmt.Sprintf("Report %d: %s of %s, %s%s.", i+1, recordOf(m), m.GetAgency(), admittedText(m), moment(m.GetEventTime().AsTime()))
		if m.GetSuperseded() {
			line += " A later message replaces it."
		}
		out = append(out, line)
	}
	if more := int(s.GetSize()) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("And %s more.", reportCount(more)))
	}
	return out
}

// admittedText says which cell took a report; read from a file, none did.
func admittedText(m *wf.Member) string {
	if m.GetCell() == "" {
		return ""
	}
	return "admitted in " + m.GetCell() + ", "
}

func reportCount(n int) string {
	if n == 1 {
		return "1 report"
	}
	return grouped(n) + " reports"
}

// partLines tell of a mass situation.
func partLines(s *wf.Situation) []string {
	if s.GetPartingMillibits() == 0 {
		return nil
	}
	line := fmt.Sprintf("This is a mass situation of %s. With the threshold raised to %s at most it falls into", reportCount(int(s.GetSize())), bitsOf(s.GetPartingMillibits()))
	if n := int(s.GetPartCount()); n > 0 {
		line += fmt.Sprintf(" %s of two reports or more and %s", plural(n, "part"), reportCount(int(s.GetAlone())))
	} else {
		line += " " + reportCount(int(s.GetAlone()))
	}
	out := []string{line + " alone."}
	for i, p := range s.GetParts() {
		out = append(out, fmt.Sprintf("Part %d, %s: %s. The strongest link to the rest has %s.", i+1, p.GetId()[:min(8, len(p.GetId()))], p.GetHeadline(), bitsOf(p.GetPartingMillibits())))
	}
	if more := int(s.GetPartCount()) - len(s.GetParts()); more > 0 {
		out = append(out, fmt.Sprintf("And %s, less grave.", plural(more, "more part")))
	}
	return out
}

// linkLines say the links from the strongest to the weakest.
func linkLines(s *wf.Situation) []string {
	links := slices.Clone(s.GetLinks())
	slices.SortStableFunc(links, func(a, b *wf.Link) int { return cmp.Compare(b.GetMillibits(), a.GetMillibits()) })
	var out []string
	for i, l := range links {
		if i == saidLinks-1 && len(links) > saidLinks {
			out = append(out, fmt.Sprintf("And %s, from %s down to %s.", plural(len(links)-i, "more link"), bitsOf(l.GetMillibits()), bitsOf(links[len(links)-1].GetMillibits())))
			break
		}
		out = append(out, linkLine(s, l))
	}
	return out
}

func linkLine(s *wf.Situation, l *wf.Link) string {
	m := s.GetMembers()
	if int(max(l.GetA(), l.GetB())) >= len(m) {
		return ""
	}
	a, b := m[l.GetA()], m[l.GetB()]
	return fmt.Sprintf("Report %d of %s and report %d of %s, %s, belong together by %s: %s.", l.GetA()+1, a.GetAgency(), l.GetB()+1, b.GetAgency(),
		spanText(b.GetEventTime().AsTime().Sub(a.GetEventTime().AsTime())), bitsOf(l.GetMillibits()), reasonsText(l.GetEvidence()))
}

// bridgeLine says what it would fall apart into.
func bridgeLine(s *wf.Situation) string {
	if s.WeakestLink == nil || int(*s.WeakestLink) >= len(s.GetLinks()) || s.Bridge == nil {
		return ""
	}
	l, b := s.GetLinks()[*s.WeakestLink], s.GetBridge()
	without := fmt.Sprintf("Without the link of report %d and report %d, %s", l.GetA()+1, l.GetB()+1, bitsOf(l.GetMillibits()))
	parts := fmt.Sprintf("it would fall apart into %s and %s", reportCount(int(b.GetAReports())), grouped(int(b.GetBReports())))
	if n := int(b.GetLinks()) - 1; n > 0 {
		return without + fmt.Sprintf(", and %s no stronger, %s.", plural(n, "other link"), parts)
	}
	return without + ", " + parts + ": nothing else holds the two together."
}

// ignoredPhrases say why a thing counted little or nothing.
var ignoredPhrases = map[string]string{
	"hub":       "counted for little: too many reports name it",
	"stop-list": "counted for nothing: it is on the list of values that say nothing",
}

func ignoredLine(i *wf.Ignored) string {
	why := ignoredPhrases[i.GetReason()]
	if why == "" {
		why = "was ignored: " + i.GetReason()
	}
	return fmt.Sprintf("The %s, in %s of it, %s.", thingText(i.GetKind(), i.GetValue()), reportCount(int(i.GetMembers())), why)
}

func recordOf(m *wf.Member) string {
	if m.GetRecord() != "" {
		return m.GetRecord()
	}
	return m.GetReportId()
}

func strongestFirst(list []*wf.Evidence) []*wf.Evidence {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b *wf.Evidence) int { return cmp.Compare(abs(b.GetMillibits()), abs(a.GetMillibits())) })
	return out
}

func abs(v int32) int32 { return max(v, -v) }

// Neighbours says which other situations of a picture name a thing that this
// one names several times. It is all that a reader without the reports can
// find; near misses take an engine.
func Neighbours(s *wf.Situation, all []*wf.Situation) []string {
	mine := map[string]bool{}
	for _, m := range s.GetMentions() {
		mine[m.GetKind()+" "+m.GetValue()] = true
	}
	var out []string
	for _, o := range all {
		if o.GetId() == s.GetId() {
			continue
		}
		var shared []string
		for _, m := range o.GetMentions() {
			if k := m.GetKind() + " " + m.GetValue(); mine[k] {
				shared = append(shared, "the "+thingText(m.GetKind(), m.GetValue()))
			}
		}
		if len(shared) > 0 {
			out = append(out, fmt.Sprintf("Situation %s, %s, names %s too.", o.GetId()[:min(8, len(o.GetId()))], o.GetHeadline(), strings.Join(shared, " and ")))
		}
	}
	slices.Sort(out)
	return out[:min(len(out), maxRelated)]
}
