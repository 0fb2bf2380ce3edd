package guard

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Examined is what a submission says by itself: the facts the index needs and
// everything that is wrong with it.
type Examined struct {
	// Submission is what the subject says; the server has checked its agency
	// against the sender's credential.
	Submission subject.Submission
	// ReportID, ID, Revision, Withdrawn, Kind and Status as the report says.
	ReportID  string
	ID        ID
	Revision  uint64
	Withdrawn bool
	Kind      wf.Kind
	Status    wf.Status
	// Stored is the subject it would be stored on.
	Stored string
	// Hash is the SHA-256 of the payload, Size its length.
	Hash [32]byte
	Size int
	// Received is when the guard took it, Rule what admits it.
	Received time.Time
	Rule     string
	// Reasons against it.
	Reasons admission.Reasons

	known   bool
	foreign bool
}

// Known says whether the identity could be read and is that of the sender who
// waits for the answer, so that it may be looked up.
func (x *Examined) Known() bool { return x.known }

// Received is one submission as it came.
type Received struct {
	Subject string
	Payload []byte
	At      time.Time
	// ForeignReply: the sender asked to be answered outside its own inbox.
	ForeignReply bool
}

// Examine judges a submission by itself.
func Examine(rules *Rules, in Received) *Examined {
	x := &Examined{Hash: sha256.Sum256(in.Payload), Size: len(in.Payload), Received: in.At}
	if !rules.usable() {
		x.Reasons.Add(admission.Unavailable, "", "the cell has no usable rules", "wait, then send the same report again")
		return x
	}
	x.address(rules, in)
	if len(in.Payload) > rules.MaxReport {
		x.Reasons.Add(admission.TooLarge, "", fmt.Sprintf("the report has %d bytes, at most %d are admitted", len(in.Payload), rules.MaxReport),
			"send less: move attachments to a store of your own and refer to them")
		return x
	}
	r, reasons := report.Decode(in.Payload)
	x.Reasons = append(x.Reasons, reasons...)
	if r == nil {
		return x
	}
	x.identify(r)
	x.Reasons = append(x.Reasons, report.Validate(r, in.At, rules.Limits)...)
	x.match(r)
	x.allow(rules, r)
	if l, err := label.FromProto(r.GetLabel()); err == nil {
		x.judgeLabel(rules, r.GetLabel(), l)
		x.Stored = subject.StoredOf(x.Submission, rules.Cell, l, r.GetLabel()).String()
	} else if len(x.Reasons) == 0 {
		x.Reasons.Add(admission.UnknownLevel, "label", err.Error(), "mark the report with a level of the schema")
	}
	return x
}

// address reads the subject, where the sender's agency stands.
func (x *Examined) address(rules *Rules, in Received) {
	s, err := subject.ParseSubmit(in.Subject)
	if err != nil {
		x.Submission.Agency = AgencyOf(in.Subject)
		x.Reasons.Add(admission.SubjectMismatch, "", err.Error(), "publish on submit.<status>.<kind>.<state>.<county>.<agency>")
	} else {
		x.Submission = s
	}
	x.Rule = x.Submission.Agency + "@" + rules.Version
	if x.foreign = in.ForeignReply; x.foreign {
		x.Reasons.Add(admission.NotAllowed, "", "the reply subject is outside the agency's own inbox",
			"connect with the inbox prefix of your credential, as its context file says")
	}
}

// AgencyOf is the agency token of a submit subject, also of one that does not
// follow the grammar; empty if there is none.
func AgencyOf(submit string) string {
	a := submit[strings.LastIndexByte(submit, '.')+1:]
	if !subject.Word(a) {
		return ""
	}
	return a
}

// identify takes the identity, as far as it can be read.
func (x *Examined) identify(r *wf.Report) {
	id, ok := ParseID(r.GetId())
	if ok {
		x.ReportID = r.GetId()
	}
	x.ID, x.Revision = id, r.GetRevision()
	x.Withdrawn = r.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN
	x.Kind, x.Status = r.GetKind(), r.GetStatus()
	x.known = ok && x.Revision > 0 && !x.foreign && x.Submission.Agency != "" && r.GetAgency() == x.Submission.Agency
}

// match compares the report with the subject it came on.
func (x *Examined) match(r *wf.Report) {
	if r.GetAgency() != x.Submission.Agency {
		x.Reasons.Add(admission.AgencyMismatch, "agency",
			fmt.Sprintf("the report says %q, the credential is %q", clip(r.GetAgency()), x.Submission.Agency),
			"send it with the originating agency's credential; only the originator revises a report")
	}
	if x.Submission.Kind == wf.Kind_KIND_UNSPECIFIED {
		return
	}
	state, county := subject.Area(r)
	for _, m := range []struct{ field, says, subject string }{
		{"kind", subject.KindToken(r.GetKind()), subject.KindToken(x.Submission.Kind)},
		{"status", subject.StatusToken(r.GetStatus()), subject.StatusToken(x.Submission.Status)},
		{"places.state", state, x.Submission.State},
		{"places.county_fips", county, x.Submission.County},
	} {
		if m.says != m.subject {
			x.Reasons.Add(admission.SubjectMismatch, m.field, fmt.Sprintf("the report says %q, its subject %q", clip(m.says), m.subject),
				"derive the subject from the report")
		}
	}
}

// allow asks the policy whether this agency may submit this here.
func (x *Examined) allow(rules *Rules, r *wf.Report) {
	a, ok := rules.Agencies[x.Submission.Agency]
	switch {
	case !ok:
		x.Reasons.Add(admission.NotAllowed, "agency", fmt.Sprintf("%q may not submit to this cell", x.Submission.Agency),
			"submit to a cell that the policy names for you")
	default:
		if !a.Kinds[r.GetKind()] {
			x.Reasons.Add(admission.NotAllowed, "kind", fmt.Sprintf("%q may not submit this kind here", x.Submission.Agency),
				"ask the owner of the policy")
		}
		if !a.Statuses[r.GetStatus()] {
			x.Reasons.Add(admission.NotAllowed, "status", fmt.Sprintf("%q may not submit this status here", x.Submission.Agency),
				"ask the owner of the policy")
		}
	}
	if c := r.GetRecordClass(); c != wf.RecordClass_RECORD_CLASS_UNSPECIFIED && !rules.Classes[c] {
		x.Reasons.Add(admission.Retention, "record_class", "the policy has no retention rule for this class here",
			"use a record class that the policy keeps, or ask its owner")
	}
}

// judgeLabel holds the report's label against the cell's.
func (x *Examined) judgeLabel(rules *Rules, m *wf.Label, l label.Label) {
	const elsewhere = "send it to a cell whose label dominates it"
	cell := rules.Label
	before := len(x.Reasons)
	if l.Level() > cell.Level() {
		x.Reasons.Add(admission.LabelAboveCell, "label.level", fmt.Sprintf("%s is above the cell's %s", l.Level(), cell.Level()), elsewhere)
	}
	if l.Sides() != cell.Sides() {
		x.Reasons.Add(admission.SidesDiffer, "label.sides", fmt.Sprintf("the report's sides are %s, the cell's %s", l.Sides().Token(), cell.Sides().Token()),
			"send it to a cell of its side; a report without a side belongs in a cell without one")
	}
	for _, c := range l.Compartments() {
		if !slices.Contains(cell.Compartments(), c) {
			x.Reasons.Add(admission.LabelAboveCell, "label.compartments", fmt.Sprintf("the cell does not hold compartment %s", c), elsewhere)
		}
	}
	if len(x.Reasons) == before && !cell.Dominates(l) {
		x.Reasons.Add(admission.LabelAboveCell, "label", "the cell's label does not dominate the report's", elsewhere)
	}
	if !slices.Contains(m.GetControls(), wf.Control_CONTROL_ORCON) {
		return
	}
	for i, c := range m.GetOrconCells() {
		if !rules.Above[c] {
			x.Reasons.Add(admission.Orcon, fmt.Sprintf("label.orcon_cells[%d]", i), fmt.Sprintf("%q is no cell above this one", clip(c)),
				"name only cells whose label dominates this cell's")
		}
	}
}

// clip keeps a foreign word in a message short and printable.
func clip(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strings.ToValidUTF8(s, "?")
}
