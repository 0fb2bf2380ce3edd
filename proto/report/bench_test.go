package report_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/report"
)

// Decode and Validate run for every report at admission.
func BenchmarkDecode(b *testing.B) {
	data, err := proto.Marshal(sampleSAR())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, rs := report.Decode(data); len(rs) > 0 {
			b.Fatal(rs)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	data, err := proto.Marshal(sampleSAR())
	if err != nil {
		b.Fatal(err)
	}
	r := sampleSAR()
	b.ReportAllocs()
	for b.Loop() {
		proto.Reset(r)
		if err := proto.Unmarshal(data, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	r := sampleSAR()
	b.ReportAllocs()
	for b.Loop() {
		if rs := report.Validate(r, now, report.Limits{}); len(rs) > 0 {
			b.Fatal(rs)
		}
	}
}

func BenchmarkRecordID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		report.RecordID("jackson-pd", "2026-0001234")
	}
}
