package fusion

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// canonicalVersion starts every encoding; a change of the encoding changes it.
const canonicalVersion = "watchfloor situation 2\x00"

// Hash is SHA-256 of the canonical encoding of a situation, which DESIGN.md
// writes down: every field in the order of its number, lengths before what
// they measure, nothing left out.
func Hash(s *wf.Situation) [32]byte { return sha256.Sum256(appendCanonical(nil, s)) }

type encoder struct{ b []byte }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) text(v string) {
	e.uint(uint64(len(v)))
	e.b = append(e.b, v...)
}
func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
		return
	}
	e.b = append(e.b, 0)
}

// float writes the bits of a number; zero has one sign.
func (e *encoder) float(v float64) {
	if v == 0 {
		v = 0
	}
	e.b = binary.BigEndian.AppendUint64(e.b, math.Float64bits(v))
}

func (e *encoder) time(t *timestamppb.Timestamp) {
	e.bool(t != nil)
	if t != nil {
		e.int(t.Seconds)
		e.int(int64(t.Nanos))
	}
}

func (e *encoder) point(p *wf.Point) {
	e.bool(p != nil)
	if p != nil {
		e.float(p.Latitude)
		e.float(p.Longitude)
	}
}

func appendCanonical(b []byte, s *wf.Situation) []byte {
	e := encoder{append(b, canonicalVersion...)}
	e.text(s.GetId())
	e.int(int64(s.GetKind()))
	e.int(int64(s.GetStatus()))
	e.text(s.GetHeadline())
	e.members(s.GetMembers())
	e.links(s.GetLinks())
	e.uint(uint64(s.GetLinkCount()))
	e.int(int64(s.GetSeverity()))
	e.int(int64(s.GetConfidencePermille()))
	e.uint(uint64(s.GetOriginators()))
	e.int(int64(s.GetTrend()))
	e.time(s.GetFirstEvent())
	e.time(s.GetLastEvent())
	e.point(s.GetCenter())
	e.uint(uint64(len(s.GetHull())))
	for _, p := range s.GetHull() {
		e.point(p)
	}
	e.float(s.GetUncertaintyM())
	e.uint(uint64(len(s.GetCounties())))
	for _, c := range s.GetCounties() {
		e.text(c)
	}
	e.uint(uint64(len(s.GetMentions())))
	for _, m := range s.GetMentions() {
		e.text(m.GetKind())
		e.text(m.GetValue())
		e.uint(uint64(m.GetMembers()))
	}
	e.uint(uint64(len(s.GetIgnored())))
	for _, m := range s.GetIgnored() {
		e.text(m.GetKind())
		e.text(m.GetValue())
		e.text(m.GetReason())
		e.uint(uint64(m.GetMembers()))
	}
	e.int(int64(s.GetScore()))
	e.bool(s.GetEnded())
	e.bool(s.WeakestLink != nil)
	e.uint(uint64(s.GetWeakestLink()))
	e.uint(uint64(s.GetSize()))
	e.int(int64(s.GetGravity()))
	e.uint(s.GetAreaM2())
	e.bool(s.Bridge != nil)
	if b := s.Bridge; b != nil {
		e.uint(uint64(b.AReports))
		e.uint(uint64(b.BReports))
		e.uint(uint64(b.Links))
	}
	e.parts(s.GetParts())
	e.uint(uint64(s.GetPartCount()))
	e.uint(uint64(s.GetAlone()))
	e.int(int64(s.GetPartingMillibits()))
	e.text(string(s.GetRoll()))
	return e.b
}

func (e *encoder) parts(list []*wf.Part) {
	e.uint(uint64(len(list)))
	for _, p := range list {
		e.text(p.GetId())
		e.uint(uint64(p.GetSize()))
		e.int(int64(p.GetKind()))
		e.text(p.GetHeadline())
		e.int(int64(p.GetSeverity()))
		e.int(int64(p.GetConfidencePermille()))
		e.uint(uint64(p.GetOriginators()))
		e.time(p.GetFirstEvent())
		e.time(p.GetLastEvent())
		e.point(p.GetCenter())
		e.float(p.GetUncertaintyM())
		e.int(int64(p.GetPartingMillibits()))
		e.uint(uint64(p.GetFirstMember()))
		e.uint(uint64(p.GetListed()))
		e.bool(p.GetEnded())
	}
}

func (e *encoder) members(list []*wf.Member) {
	e.uint(uint64(len(list)))
	for _, m := range list {
		e.text(m.GetReportId())
		e.text(m.GetAgency())
		e.text(m.GetRecord())
		e.text(m.GetCell())
		e.int(int64(m.GetKind()))
		e.time(m.GetEventTime())
		e.uint(m.GetRevision())
		e.bool(m.GetSuperseded())
	}
}

func (e *encoder) links(list []*wf.Link) {
	e.uint(uint64(len(list)))
	for _, l := range list {
		e.uint(uint64(l.GetA()))
		e.uint(uint64(l.GetB()))
		e.int(int64(l.GetMillibits()))
		e.uint(uint64(len(l.GetEvidence())))
		for _, v := range l.GetEvidence() {
			e.text(v.GetKind())
			e.text(v.GetValue())
			e.int(int64(v.GetMillibits()))
		}
	}
}
