package admit

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// Metrics are counters since the start. All may be read at any time.
type Metrics struct {
	Admitted, Duplicate, Superseded, Refused atomic.Uint64
	// Retry counts submissions answered "unavailable" or "storage-full" after a
	// failed commit, Pushback those turned away because too many wait.
	Retry, Pushback atomic.Uint64
	// Full counts submissions turned away because the disk has little room.
	Full atomic.Uint64
	// ForeignReply counts submissions that asked to be answered outside the
	// agency's inbox (trap T3): an attack or a misconfigured client.
	ForeignReply atomic.Uint64
	// Delivered counts deliveries of JetStream that somebody had sent here,
	// Misdirected what was refused and may be an answer of the server: both are a
	// reader's doing (trap T3), and nothing is stored of them.
	Delivered, Misdirected atomic.Uint64
	// Foreign counts messages of REPORTS that no guard wrote: an attack.
	Foreign atomic.Uint64
	// Dropped counts submissions of an agency that sends faster than they can be
	// looked at, and overflows of the subscription, Unanswered answers that
	// could not be sent.
	Dropped, Unanswered atomic.Uint64
	// Recorded and Unrecorded count refusal records.
	Recorded, Unrecorded atomic.Uint64
	// Commits and the Messages in them.
	Commits, Messages atomic.Uint64
	// FenceLost counts commits that another writer preceded, Unknown those
	// whose outcome was not answered in time, Reloads reads of the tail.
	FenceLost, Unknown, Reloads, LateAcks atomic.Uint64
	// Reports is how many identities the index holds.
	Reports atomic.Uint64
	// CommitSize in messages, CommitLatency from deciding to the server's
	// acknowledgement, AckLatency from receipt to the answer.
	CommitSize                Histogram
	CommitLatency, AckLatency Latency

	owed   atomic.Int64 // since when the store owes an answer, by uptime; 0 when it does not
	behind atomic.Int64 // see Behind
	codes  [len(codeList)]atomic.Uint64
	other  atomic.Uint64
}

// codeList is the catalogue of refusals that are counted apart.
var codeList = [...]admission.Code{
	admission.NotProtobuf, admission.InvalidUTF8, admission.TooLarge, admission.UnknownField,
	admission.Missing, admission.Invalid, admission.UnknownLevel, admission.UnknownKind, admission.UnknownStatus,
	admission.BadTime, admission.FutureTime, admission.BadGeometry, admission.NotNormal,
	admission.LabelAboveCell, admission.SidesDiffer, admission.AgencyMismatch, admission.SubjectMismatch,
	admission.NotAllowed, admission.Retention, admission.Orcon, admission.Tearline, admission.UnknownMarking,
	admission.Conflict, admission.KindChanged, admission.StatusChanged, admission.Unavailable,
}

// Stalled is for how long the store has not taken what it was given; 0 while it does.
func (m *Metrics) Stalled() time.Duration {
	if since := m.owed.Load(); since != 0 {
		return uptime() - time.Duration(since)
	}
	return 0
}

var start = time.Now()

// uptime goes on whatever happens to the clock; it is never 0.
func uptime() time.Duration { return time.Since(start) + 1 }

// Behind is how far the clock stands behind the last time of receipt; 0 when it
// does not.
func (m *Metrics) Behind() time.Duration { return time.Duration(m.behind.Load()) }

// owes notes that the store was given something, or that it is even.
func (m *Metrics) owes(something bool) {
	if !something {
		m.owed.Store(0)
	} else if m.owed.Load() == 0 {
		m.owed.Store(int64(uptime()))
	}
}

// refused counts a refusal and each code in it once.
func (m *Metrics) refused(reasons admission.Reasons) {
	m.Refused.Add(1)
	var seen uint64
	for _, r := range reasons {
		at := codeAt(admission.Code(r.GetCode()))
		if at < 0 {
			m.other.Add(1)
		} else if seen&(1<<at) == 0 {
			seen |= 1 << at
			m.codes[at].Add(1)
		}
	}
}

func codeAt(c admission.Code) int {
	for i, have := range codeList {
		if have == c {
			return i
		}
	}
	return -1
}

// Codes is how many refusals named each code; one refusal may name several.
func (m *Metrics) Codes() map[admission.Code]uint64 {
	out := map[admission.Code]uint64{}
	for i := range m.codes {
		if n := m.codes[i].Load(); n > 0 {
			out[codeList[i]] = n
		}
	}
	if n := m.other.Load(); n > 0 {
		out["other"] = n
	}
	return out
}

// Histogram counts values in buckets that double: bucket i holds values below
// 2^i that no earlier bucket holds.
type Histogram struct {
	buckets [40]atomic.Uint64
	sum     atomic.Uint64
}

func (h *Histogram) observe(v int) {
	u := uint64(max(v, 0))
	h.buckets[min(bits.Len64(u), len(h.buckets)-1)].Add(1)
	h.sum.Add(u)
}

// Buckets are cumulative counts by upper bound (exclusive).
func (h *Histogram) Buckets() (counts map[float64]uint64, count uint64, sum float64) {
	counts = map[float64]uint64{}
	for i := range h.buckets {
		count += h.buckets[i].Load()
		counts[float64(uint64(1)<<i)] = count
	}
	return counts, count, float64(h.sum.Load())
}

// Latency is a Histogram of microseconds.
type Latency struct{ h Histogram }

func (l *Latency) observe(d time.Duration) { l.h.observe(int(d.Microseconds())) }

// Buckets are cumulative counts by upper bound in seconds.
func (l *Latency) Buckets() (counts map[float64]uint64, count uint64, sum float64) {
	micros, count, total := l.h.Buckets()
	counts = make(map[float64]uint64, len(micros))
	for b, n := range micros {
		counts[b/1e6] = n
	}
	return counts, count, total / 1e6
}
