package report

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Sane years: from the first storm tracks to what a deadline may name.
var (
	minSecond = time.Date(1850, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	maxSecond = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// times checks when the report was made, when it happened, when it ends.
func (c *checker) times(r *wf.Report) {
	if t := r.GetReportTime(); t == nil {
		c.refuse(admission.Missing, "report_time", "the report does not say when it was made", "set report_time")
	} else if c.moment("report_time", t) {
		c.notAfter("report_time", t, int64(c.limits.MaxSkew/time.Second))
	}
	if e := r.GetEventTime(); e != nil {
		c.span("event_time.", "start", e.GetStart(), "end", e.GetEnd())
		if e.GetStart() == nil {
			c.refuse(admission.Missing, "event_time.start", "the event time has no start", "set start, or leave event_time out")
		} else if saneTime(e.GetStart()) {
			c.notAfter("event_time.start", e.GetStart(), int64(c.limits.MaxAhead/time.Second))
		}
		if e.GetEnd() != nil && saneTime(e.GetEnd()) {
			c.notAfter("event_time.end", e.GetEnd(), int64(c.limits.MaxAhead/time.Second))
		}
	}
	c.moment("expires", r.GetExpires())
}

// moment checks one time that may be absent; true when it is there and sane.
func (c *checker) moment(field string, t *timestamppb.Timestamp) bool {
	if t == nil {
		return false
	}
	if !saneTime(t) {
		c.refuse(admission.BadTime, field, fmt.Sprintf("%d s %d ns is not a time of the years 1850 to 2199", t.GetSeconds(), t.GetNanos()),
			"give seconds since 1970 in UTC and nanoseconds from 0 to 999999999")
		return false
	}
	return true
}

func saneTime(t *timestamppb.Timestamp) bool {
	return t.Seconds >= minSecond && t.Seconds < maxSecond && t.Nanos >= 0 && t.Nanos < 1e9
}

// notAfter refuses a time more than ahead seconds in the future.
func (c *checker) notAfter(field string, t *timestamppb.Timestamp, ahead int64) {
	if t.Seconds > c.now+ahead {
		c.refuse(admission.FutureTime, field, fmt.Sprintf("%s is more than %s in the future", t.AsTime().Format(time.RFC3339), time.Duration(ahead)*time.Second),
			"check the clock and the time zone of the source")
	}
}

// span checks that both ends are sane and that end is not before start.
func (c *checker) span(prefix, startName string, start *timestamppb.Timestamp, endName string, end *timestamppb.Timestamp) {
	a, b := true, true
	if start != nil && !saneTime(start) {
		a = c.moment(prefix+startName, start)
	}
	if end != nil && !saneTime(end) {
		b = c.moment(prefix+endName, end)
	}
	if start == nil || end == nil || !a || !b {
		return
	}
	if end.Seconds < start.Seconds || end.Seconds == start.Seconds && end.Nanos < start.Nanos {
		c.refuse(admission.BadTime, prefix+endName, endName+" is before "+startName, "swap them, or leave "+endName+" out")
	}
}
