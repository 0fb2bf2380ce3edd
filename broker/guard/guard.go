// Package guard decides whether a report may enter its cell.
//
// It is a function: the same rules, bytes, index and time give the same
// decision, on any machine. It works in two steps. [Examine] judges a
// submission by itself, so that many can be examined at once; [Decide] judges
// what was examined against the [Index] of what the cell already holds, one
// after another, so that a decision sees the ones before it. Every reason is
// collected, and the zero Verdict refuses.
//
// It is not the loop: it opens no connection, reads no clock and starts no
// goroutine. Package admit does that around it.
package guard

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Verdict is what happens to a submission. The zero value refuses it.
type Verdict uint8

// The verdicts.
const (
	// Refuse: nothing is stored, the sender gets the reasons.
	Refuse Verdict = iota
	// Admit: store it, then acknowledge.
	Admit
	// Duplicate: these bytes were admitted before; the sender gets the first acknowledgement again.
	Duplicate
	// Superseded: a higher revision was admitted before; the sender gets its sequence.
	Superseded
)

var verdictWords = [...]string{"refuse", "admit", "duplicate", "superseded"}

// String is the verdict as a word.
func (v Verdict) String() string {
	if int(v) >= len(verdictWords) {
		return verdictWords[Refuse]
	}
	return verdictWords[v]
}

// Decision is what to do with one submission.
type Decision struct {
	Verdict Verdict
	// Reasons of a refusal, all of them.
	Reasons admission.Reasons
	// Subject and Record are what to store beside the sender's bytes (Admit).
	Subject string
	Record  admission.Record
	// Moved is the tombstone that goes to the subject of the earlier revision,
	// before the report and in the same commit; nil when the subject stays.
	Moved *Tombstone
	// Sequence is where the answer of a Duplicate or Superseded points.
	Sequence uint64
}

// Tombstone is a record without payload.
type Tombstone struct {
	Subject string
	Record  admission.Record
}

// Messages is how many messages the decision stores.
func (d *Decision) Messages() int {
	switch {
	case d.Verdict != Admit:
		return 0
	case d.Moved != nil:
		return 2
	}
	return 1
}

// Lookup finds what the cell holds of an identity.
type Lookup interface {
	Lookup(agency string, id ID) (Entry, bool)
}

// Decide judges an examined submission against what the cell holds. It
// changes nothing: whoever commits the decision puts it into the index.
//
// Bytes that were admitted once stay acknowledged, even when the rules have
// changed since: a sender who never saw its acknowledgement must get it.
func Decide(x *Examined, held Lookup) Decision {
	if x.Known() {
		if e, ok := held.Lookup(x.Submission.Agency, x.ID); ok {
			return decideHeld(x, e)
		}
	}
	return decideNew(x)
}

func decideNew(x *Examined) Decision {
	if len(x.Reasons) > 0 || !x.Known() || x.Stored == "" {
		return Decision{Reasons: x.refusal()}
	}
	return Decision{Verdict: Admit, Subject: x.Stored, Record: x.record()}
}

func decideHeld(x *Examined, e Entry) Decision {
	if x.Revision == e.Revision && DigestOf(x.Hash) == e.Digest {
		return Decision{Verdict: Duplicate, Sequence: e.Sequence}
	}
	reasons := x.Reasons[:len(x.Reasons):len(x.Reasons)]
	if x.Revision == e.Revision {
		reasons.Add(admission.Conflict, "revision", "this revision was admitted with other content",
			"send the changed report with a higher revision")
	}
	if x.Kind != e.Kind {
		reasons.Add(admission.KindChanged, "kind", "an earlier revision has another kind",
			"withdraw the report and send a new one with its own id")
	}
	if x.Status != e.Status {
		reasons.Add(admission.StatusChanged, "status", "an earlier revision has another status",
			"withdraw the report and send a new one with its own id")
	}
	if len(reasons) > 0 || x.Stored == "" {
		return Decision{Reasons: reasons}
	}
	if x.Revision < e.Revision {
		return Decision{Verdict: Superseded, Sequence: e.Sequence}
	}
	d := Decision{Verdict: Admit, Subject: x.Stored, Record: x.record()}
	if e.Subject != x.Stored && !e.Gone {
		d.Moved = &Tombstone{Subject: e.Subject, Record: x.moved()}
	}
	return d
}

// record is the admission record of the report itself.
func (x *Examined) record() admission.Record {
	return admission.Record{
		Event: admission.Admitted, ID: x.ReportID, Revision: x.Revision, Withdrawn: x.Withdrawn,
		Received: x.Received, Hash: x.Hash, Rule: x.Rule,
	}
}

// moved is the record left on the old subject. Whoever reads that subject may
// not be cleared for the new one, so it says no more than the revision.
func (x *Examined) moved() admission.Record {
	r := x.record()
	r.Event, r.Hash, r.Withdrawn = admission.Moved, emptyHash, false
	return r
}

// refusal never returns an empty list: what is refused without a reason would
// be answered with nothing.
func (x *Examined) refusal() admission.Reasons {
	if len(x.Reasons) > 0 {
		return x.Reasons
	}
	var r admission.Reasons
	r.Add(admission.Invalid, "", "the submission was not examined", "send it again")
	return r
}

// RecordOf is the refusal's record: who, when, why and the hash, never the
// payload. Of the reasons it keeps as many as fit into admission.MaxRefusal.
func RecordOf(cell string, x *Examined, reasons admission.Reasons) *wf.Refusal {
	return &wf.Refusal{
		Cell: cell, Agency: x.Submission.Agency, ReportId: x.ReportID, Revision: x.Revision,
		Received: timestamp(x.Received), Hash: x.Hash[:], Size: uint64(x.Size), Reasons: fitting(reasons),
	}
}

// recordRest is what a record holds beside its reasons, at most, and one more
// reason that says how many are left out.
const recordRest = 1024

func fitting(reasons admission.Reasons) admission.Reasons {
	room := admission.MaxRefusal - recordRest
	for i, r := range reasons {
		if room -= proto.Size(r) + 4; room < 0 {
			var kept admission.Reasons
			kept = append(kept, reasons[:i]...)
			kept.Add(admission.Invalid, "", fmt.Sprintf("%d more reasons are not recorded", len(reasons)-i), "the answer to the sender has them")
			return kept
		}
	}
	return reasons
}
