package narrative

import (
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// when is a date, with the time of day if one stands by, or a day named
// relative to the report: "yesterday evening". Without a time of day it is the
// whole day, or the part of it that is named.
func (s *scan) when(i int) int {
	if s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"/:") {
		return i
	}
	if s.word(i) == "on" {
		return i // the date itself is next
	}
	if j := s.relative(i); j > i {
		return j
	}
	d, j, ok := s.date(i, false)
	if !ok || d.Day == 0 || d.Year == 0 {
		return i
	}
	if s.justDescribed(i) && s.whose(i) > 0 && int(d.Year)+10 < s.ctx.Reported.Year() {
		s.add(Finding{Kind: Birth, Normal: dateText(d), Why: "a date after race and sex", Date: d, Of: s.whose(i)}, i, j)
		return j
	}
	zone := s.zone()
	day := time.Date(int(d.Year), time.Month(d.Month), int(d.Day), 0, 0, 0, 0, zone)
	start, end, next := s.clock(day, j)
	if next == j { // "at 2145 hours on 3/14/2025"
		start, end = s.clockBefore(day, i)
	}
	s.moment(i, next, start, end, "a date")
	return next
}

func (s *scan) moment(i, j int, start, end time.Time, why string) {
	r := &wf.TimeRange{Start: timestamppb.New(start)}
	text := start.UTC().Format(time.RFC3339)
	if end.After(start) {
		r.End = timestamppb.New(end)
		text += "/" + end.UTC().Format(time.RFC3339)
	}
	s.add(Finding{Kind: When, Normal: text, Why: why, Time: r}, i, j)
}

// zones are the zones in which most of a state lies. A fixed offset would be an
// hour wrong for half of the year.
var zones = func() map[string]*time.Location {
	m := map[string]*time.Location{}
	for name, states := range map[string]string{
		"America/Chicago":     "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
		"America/New_York":    "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
		"America/Denver":      "CO ID MT NM UT WY",
		"America/Phoenix":     "AZ",
		"America/Los_Angeles": "CA NV OR WA",
		"America/Anchorage":   "AK",
		"Pacific/Honolulu":    "HI",
		"America/Puerto_Rico": "PR",
	} {
		l, err := time.LoadLocation(name)
		if err != nil {
			continue // then a day of that state is one of UTC, and no time of day is read
		}
		for st := range strings.FieldsSeq(states) {
			m[st] = l
		}
	}
	return m
}()

func (s *scan) zone() *time.Location {
	if l := zones[s.ctx.State]; l != nil {
		return l
	}
	return time.UTC
}

// clock is the time of day after a date; the whole day when there is none or
// the zone is not known.
func (s *scan) clock(day time.Time, j int) (start, end time.Time, next int) {
	start, end = day, day.AddDate(0, 0, 1)
	k := j
	for n := 0; n < 4 && (s.symbolAt(k, ",@") || s.word(k) == "at" || s.word(k) == "about" || s.word(k) == "approximately" || s.word(k) == "approx" || s.word(k) == "around" || s.symbolAt(k, ".") && s.word(k-1) == "approx"); n++ {
		k++
	}
	h, m, e, ok := s.hour(k, k > j)
	if !ok || zones[s.ctx.State] == nil {
		return start, end, j
	}
	at := time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, day.Location())
	return at, at, e
}

// clockBefore is the time of day of "at 2145 hours on DATE".
func (s *scan) clockBefore(day time.Time, i int) (start, end time.Time) {
	start, end = day, day.AddDate(0, 0, 1)
	if s.word(i-1) != "on" || zones[s.ctx.State] == nil {
		return start, end
	}
	for k := i - 2; k >= 0 && k > i-7; k-- {
		if w := s.word(k); w == "at" || w == "approximately" || w == "about" {
			if h, m, e, ok := s.hour(k+1, true); ok && e == i-1 {
				at := time.Date(day.Year(), day.Month(), day.Day(), h, m, 0, 0, day.Location())
				return at, at
			}
		}
	}
	return start, end
}

// hour reads "2145 hrs", "21:45", "9:45 pm", "9 p.m."; bare says that "2145"
// alone will do.
func (s *scan) hour(k int, bare bool) (h, m, next int, ok bool) {
	w := s.word(k)
	t := s.tok(k)
	if t.shape == mixed && strings.HasSuffix(w, "m") && len(w) >= 3 && len(w) <= 4 { // 9pm
		v, err := strconv.Atoi(w[:len(w)-2])
		if err != nil || v < 1 || v > 12 {
			return 0, 0, k, false
		}
		return v%12 + 12*boolInt(w[len(w)-2] == 'p'), 0, k + 1, w[len(w)-2] == 'p' || w[len(w)-2] == 'a'
	}
	if t.shape != number || t.end == 0 {
		return 0, 0, k, false
	}
	next = k + 1
	switch {
	case len(w) == 4:
		h, m = int(leading(w[:2])), int(leading(w[2:]))
		if u := s.word(next); u == "hrs" || u == "hours" || u == "hr" || u == "h" {
			next++
		} else if !bare {
			return 0, 0, k, false
		}
	case len(w) <= 2 && s.symbolAt(next, ":") && s.tok(next+1).shape != symbol && s.glued(next+1):
		mm := s.word(next + 1)
		h, m = int(leading(w)), int(leading(mm))
		if len(mm) < 2 || !isDigit(mm[1]) {
			return 0, 0, k, false
		}
		next += 2
		if s.symbolAt(next, ":") && s.glued(next+1) && s.tok(next+1).shape == number {
			next += 2
		}
		h, next = s.half(h, mm[2:], next)
	case len(w) <= 2:
		var e int
		if h, e = s.half(int(leading(w)), "", next); e == next {
			return 0, 0, k, false
		}
		next = e
	default:
		return 0, 0, k, false
	}
	return h, m, next, h >= 0 && h < 24 && m < 60
}

// half adds twelve hours for pm; glued is what stands with the digits ("45pm").
func (s *scan) half(h int, glued string, next int) (int, int) {
	w, e := glued, next
	if w == "" {
		w, e = s.word(next), next+1
		if (w == "p" || w == "a") && s.symbolAt(next+1, ".") && s.word(next+2) == "m" {
			w, e = w+"m", next+3
			e += boolInt(s.symbolAt(e, ".") && s.glued(e))
		}
	}
	switch {
	case h < 1 || h > 12 || w != "pm" && w != "am":
		return h, next
	case w == "pm":
		return h%12 + 12, e
	}
	return h % 12, e
}

// relative is a day named by the report's: yesterday evening, last night.
func (s *scan) relative(i int) int {
	if s.ctx.Reported.IsZero() || zones[s.ctx.State] == nil {
		return i
	}
	day := s.ctx.Reported.In(s.zone())
	day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	from, to, j := 0, 24, i+1
	switch w := s.word(i); {
	case w == "yesterday":
		day = day.AddDate(0, 0, -1)
		from, to, j = s.partOfDay(i+1, 0, 24)
	case w == "today":
	case w == "tonight":
		from, to = 17, 24
	case w == "last" && s.word(i+1) == "night":
		day = day.AddDate(0, 0, -1)
		from, to, j = 18, 30, i+2
	case w == "this" && (s.word(i+1) == "morning" || s.word(i+1) == "afternoon" || s.word(i+1) == "evening"):
		from, to, j = s.partOfDay(i+1, 0, 24)
	default:
		return i
	}
	at := func(h int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), h, 0, 0, 0, day.Location())
	}
	s.moment(i, j, at(from), at(to), "a day relative to the report")
	return j
}

func (s *scan) partOfDay(i, from, to int) (int, int, int) {
	switch s.word(i) {
	case "morning":
		return 5, 12, i + 1
	case "afternoon":
		return 12, 18, i + 1
	case "evening":
		return 17, 23, i + 1
	case "night":
		return 18, 30, i + 1
	}
	return from, to, i
}
