// Package admission is what the guard and a sender say to each other, and what
// the guard writes beside a stored report: the answer to a submission, the
// codes of refusal, and the admission record.
//
// An answer is JetStream-shaped, so that a stock NATS client's js.Publish on
// the submit subject understands it: a PubAck, or an error with a code.
package admission

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Code is a stable word for why a report was refused, and what its sender must do.
type Code string

// The catalogue of codes.
const (
	// The bytes are no report. Fix the encoder.
	NotProtobuf  Code = "not-protobuf"
	InvalidUTF8  Code = "invalid-utf8"
	TooLarge     Code = "too-large"
	UnknownField Code = "unknown-field"
	// A field is missing or its value is not allowed. Fix the report.
	Missing       Code = "missing"
	Invalid       Code = "invalid"
	UnknownLevel  Code = "unknown-level"
	UnknownKind   Code = "unknown-kind"
	UnknownStatus Code = "unknown-status"
	BadTime       Code = "bad-time"
	FutureTime    Code = "future-time"
	BadGeometry   Code = "bad-geometry"
	NotNormal     Code = "not-normal-form"
	// The report may not go here. Send it elsewhere or ask the policy's owner.
	LabelAboveCell  Code = "label-above-cell"
	SidesDiffer     Code = "sides-differ"
	AgencyMismatch  Code = "agency-mismatch"
	SubjectMismatch Code = "subject-mismatch"
	NotAllowed      Code = "not-allowed"
	Retention       Code = "retention"
	Orcon           Code = "orcon"
	Tearline        Code = "tearline"
	UnknownMarking  Code = "unknown-marking"
	// It contradicts what was admitted. Send a higher revision.
	Conflict      Code = "conflict"
	KindChanged   Code = "kind-changed"
	StatusChanged Code = "status-changed"
	// A source format could not be read (codecs).
	Malformed Code = "malformed"
	Expansion Code = "entity-expansion"
	TooDeep   Code = "too-deep"
	// The broker cannot store now; nothing was stored. Send the same report again.
	Unavailable Code = "unavailable"
	StorageFull Code = "storage-full"
)

// MaxRefusal is the largest record of a refusal in bytes: with it the records of
// one agency are bounded, whatever it sends.
const MaxRefusal = 8 << 10

// Retryable says whether the same bytes may be admitted later.
func (c Code) Retryable() bool { return c == Unavailable || c == StorageFull }

// Reasons is a list of reasons; empty means nothing is wrong.
type Reasons []*wf.Reason

// Add appends a reason.
func (r *Reasons) Add(code Code, field, message, remedy string) {
	*r = append(*r, &wf.Reason{Code: string(code), Field: field, Message: message, Remedy: remedy})
}

// Has says whether a reason of the code is in the list.
func (r Reasons) Has(code Code) bool {
	for _, x := range r {
		if x.GetCode() == string(code) {
			return true
		}
	}
	return false
}

// String lists the reasons on one line.
func (r Reasons) String() string {
	var b strings.Builder
	for i, x := range r {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(x.GetCode())
		if x.GetField() != "" {
			b.WriteString(" at " + x.GetField())
		}
		b.WriteString(": " + x.GetMessage())
		if x.GetRemedy() != "" {
			b.WriteString(" (" + x.GetRemedy() + ")")
		}
	}
	return b.String()
}

// Answer is the reply to a submission.
type Answer struct {
	// Stream, Sequence and Duplicate are a JetStream PubAck.
	Stream    string `json:"stream,omitempty"`
	Sequence  uint64 `json:"seq,omitempty"`
	Duplicate bool   `json:"duplicate,omitempty"`
	// Superseded: a higher revision was admitted before; Sequence is its.
	Superseded bool   `json:"superseded,omitempty"`
	Error      *Error `json:"error,omitempty"`
}

// Error is the JetStream-shaped error of an Answer.
type Error struct {
	Code        int      `json:"code"`
	ErrorCode   uint16   `json:"err_code"`
	Description string   `json:"description"`
	Refusal     []Reason `json:"refusal,omitempty"`
}

// Reason is wf.Reason in JSON.
type Reason struct {
	Code    Code   `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// Error codes of an Answer; the range is not used by JetStream.
const (
	ErrRefused     uint16 = 40400
	ErrUnavailable uint16 = 40503
)

// Ack encodes a positive answer.
func Ack(stream string, sequence uint64, duplicate, superseded bool) []byte {
	b := make([]byte, 0, 80)
	b = append(b, `{"stream":"`...)
	b = append(b, stream...)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, sequence, 10)
	if duplicate {
		b = append(b, `,"duplicate":true`...)
	}
	if superseded {
		b = append(b, `,"superseded":true`...)
	}
	return append(b, '}')
}

// Refuse encodes a refusal; a retryable code gives 503, any other 400.
func Refuse(reasons Reasons) []byte {
	e := &Error{Code: 400, ErrorCode: ErrRefused, Description: reasons.String()}
	for _, r := range reasons {
		if Code(r.GetCode()).Retryable() {
			e.Code, e.ErrorCode = 503, ErrUnavailable
		}
		e.Refusal = append(e.Refusal, Reason{Code(r.GetCode()), r.GetField(), r.GetMessage(), r.GetRemedy()})
	}
	b, err := json.Marshal(Answer{Error: e})
	if err != nil {
		return []byte(`{"error":{"code":400,"err_code":40400,"description":"refused"}}`)
	}
	return b
}

// ParseAnswer reads an answer.
func ParseAnswer(data []byte) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return Answer{}, fmt.Errorf("read answer: %w", err)
	}
	if a.Error == nil && (a.Stream == "" || a.Sequence == 0) {
		return Answer{}, fmt.Errorf("read answer: neither an acknowledgement nor an error")
	}
	return a, nil
}

// Header is the one header of a stored report; its value is an encoded Record.
const Header = "Watchfloor-Admission"

// Event says what a record of REPORTS is.
type Event string

// The events.
const (
	// The payload is a report as its sender wrote it (active or withdrawn).
	Admitted Event = "admitted"
	// The report's new revision has another subject; no payload.
	Moved Event = "moved"
	// Taken out by the retention rule; no payload.
	Expired Event = "expired"
	// Purged: the stored bytes are deleted after this; no payload.
	Purged Event = "purged"
)

// Record is what the guard knows about a stored report.
type Record struct {
	Event    Event
	ID       string
	Revision uint64
	// Withdrawn: the revision takes the report back.
	Withdrawn bool
	Received  time.Time
	// Hash is the SHA-256 of the payload.
	Hash [32]byte
	// Rule is the policy rule that admitted it: agency@policy-version.
	Rule string
}

// Encode writes the record for the header.
func (r Record) Encode() string {
	b := make([]byte, 0, 192)
	b = append(b, r.Event...)
	b = append(b, ' ')
	b = append(b, r.ID...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, r.Revision, 10)
	if r.Withdrawn {
		b = append(b, " w "...)
	} else {
		b = append(b, " a "...)
	}
	b = strconv.AppendInt(b, r.Received.UnixNano(), 10)
	b = append(b, ' ')
	b = hex.AppendEncode(b, r.Hash[:])
	b = append(b, ' ')
	b = append(b, r.Rule...)
	return string(b)
}

// ParseRecord reads the header's value.
func ParseRecord(s string) (Record, error) {
	f := strings.Split(s, " ")
	if len(f) != 7 || f[1] == "" || strings.ContainsAny(s, "\r\n") {
		return Record{}, fmt.Errorf("admission record has %d fields, want 7 on one line", len(f))
	}
	var r Record
	switch r.Event = Event(f[0]); r.Event {
	case Admitted, Moved, Expired, Purged:
	default:
		return Record{}, fmt.Errorf("admission record: unknown event %q", f[0])
	}
	var err error
	r.ID = f[1]
	if r.Revision, err = strconv.ParseUint(f[2], 10, 64); err != nil {
		return Record{}, fmt.Errorf("admission record: revision: %w", err)
	}
	switch f[3] {
	case "a":
	case "w":
		r.Withdrawn = true
	default:
		return Record{}, fmt.Errorf("admission record: state %q is not a or w", f[3])
	}
	ns, err := strconv.ParseInt(f[4], 10, 64)
	if err != nil {
		return Record{}, fmt.Errorf("admission record: received: %w", err)
	}
	r.Received = time.Unix(0, ns).UTC()
	if len(f[5]) != hex.EncodedLen(len(r.Hash)) {
		return Record{}, fmt.Errorf("admission record: hash has %d characters, want 64", len(f[5]))
	}
	if _, err := hex.Decode(r.Hash[:], []byte(f[5])); err != nil {
		return Record{}, fmt.Errorf("admission record: hash %q", f[5])
	}
	r.Rule = f[6]
	return r, nil
}
