// Package native reads and writes Watchfloor's own formats: one encoded
// report, a stream of length-delimited ones, one Report as JSON, and JSON
// lines.
//
// Reading is strict, as an input that is half understood is the wrong report:
// an unknown field, a field named twice, a time without a zone or deep nesting
// is refused with its place. Fields that follow from others or from the sender
// may be left out of JSON and are filled in; see [Fill]. It validates no
// values: package report does.
package native

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Decode reads any of the formats, told apart by content. Every record of a
// stream or of JSON lines is an item of its own; a bad one harms no other.
func Decode(data []byte, o codec.Options) []codec.Item {
	if len(data) > codec.MaxInput {
		return refuse("", admission.TooLarge, fmt.Sprintf("the input has %d bytes, at most %d are read", len(data), codec.MaxInput), "split it")
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(text) == 0:
		return refuse("", admission.Malformed, "the input is empty", "send a report")
	case text[0] == '{' && !IsStream(data):
		return DecodeJSON(data, o)
	case IsStream(data):
		return DecodeStream(data, o)
	case data[0] > ' ' && data[0] < 0x7f && utf8.Valid(data):
		return refuse("", admission.Malformed, "the input is text, but no JSON object", "send Report JSON, one object per line, or encoded reports")
	}
	return []codec.Item{decodeOne("#1", data, o)}
}

// IsStream says whether data is a chain of length-delimited messages, each of
// which could be a report.
func IsStream(data []byte) bool {
	for len(data) > 0 {
		message, n := protowire.ConsumeBytes(data)
		if n < 0 || len(message) == 0 || message[0] != 0x0a {
			return false
		}
		data = data[n:]
	}
	return true
}

// IsReport says whether data starts as one encoded report does: with an id.
func IsReport(data []byte) bool {
	return len(data) > 38 && data[0] == 0x0a && data[1] == 36 && report.UUIDVersion(string(data[2:38])) > 0
}

// DecodeStream reads length-delimited reports: before each, its size as a varint.
func DecodeStream(data []byte, o codec.Options) []codec.Item {
	var items []codec.Item
	for at := 0; at < len(data); {
		where := fmt.Sprintf("#%d", len(items)+1)
		message, n := protowire.ConsumeBytes(data[at:])
		if n < 0 {
			// Without a length that holds there is no telling where the next one starts.
			return append(items, refuse(where, admission.NotProtobuf, fmt.Sprintf("at byte %d the stream is truncated or has no length", at),
				"write the size of each report as a varint before it")...)
		}
		items = append(items, decodeOne(where, message, o))
		at += n
	}
	return items
}

func decodeOne(where string, data []byte, o codec.Options) codec.Item {
	r, reasons := report.Decode(data)
	if len(reasons) > 0 {
		return codec.Item{Where: where, Reasons: reasons}
	}
	Fill(r, o)
	return codec.Item{Where: where, Report: r}
}

// Fill sets what may be left out because it follows from the rest or from who
// sends: agency, label, status and report time from the options; state ACTIVE,
// revision 1, kind from the body, record class from the kind; id from agency
// and record. What is set stays.
func Fill(r *wf.Report, o codec.Options) {
	if r.Agency == "" {
		r.Agency = o.Agency
	}
	if r.Label == nil && o.Label != nil {
		r.Label = proto.CloneOf(o.Label)
	}
	if r.Status == wf.Status_STATUS_UNSPECIFIED {
		r.Status = o.Status
	}
	if r.State == wf.ReportState_REPORT_STATE_UNSPECIFIED {
		r.State = wf.ReportState_REPORT_STATE_ACTIVE
	}
	if r.Revision == 0 {
		r.Revision = 1
	}
	if r.Kind == wf.Kind_KIND_UNSPECIFIED {
		r.Kind = report.KindOf(r)
	}
	if r.RecordClass == wf.RecordClass_RECORD_CLASS_UNSPECIFIED {
		r.RecordClass = report.ClassOf(r.Kind)
	}
	if r.ReportTime == nil && !o.Received.IsZero() {
		r.ReportTime = timestamppb.New(o.Received)
	}
	if r.Id == "" && r.Agency != "" && r.Record != "" {
		r.Id = report.RecordID(r.Agency, r.Record)
	}
}

// Encode writes one report. The same report gives the same bytes, always.
func Encode(r *wf.Report) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return b, nil
}

// AppendDelimited adds r to a stream.
func AppendDelimited(stream []byte, r *wf.Report) ([]byte, error) {
	b, err := Encode(r)
	if err != nil {
		return stream, err
	}
	return append(protowire.AppendVarint(stream, uint64(len(b))), b...), nil
}

func refuse(where string, code admission.Code, message, remedy string) []codec.Item {
	var rs admission.Reasons
	rs.Add(code, "", message, remedy)
	return []codec.Item{{Where: where, Reasons: rs}}
}
