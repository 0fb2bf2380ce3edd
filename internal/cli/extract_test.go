package cli

import (
	"strings"
	"testing"
)

const notes = `id,title,text,gold
1,Truck at the dam,"Ivan Petrovic filmed the dam from a white Ford Transit, MS tag HNC4821.",a
2,Stop,"A white Ford Transit, plate HNC 4821, was stopped. The driver, Ivan Petrovic, DOB 3/4/1981, was released.",a
3,Theft,"A box of uniforms was taken from a laundry in Biloxi.",b
4,Purchase,"A man bought 50 lbs of ammonium nitrate and left (601) 555-0143 as his number.",c
5,Call,"The caller, from 601-555-0143, asked for the price of ammonium nitrate.",c
`

// A table of texts needs no mapping, and its texts are read.
func TestFuseReadsATableOfTexts(t *testing.T) {
	csv := write(t, "notes.csv", notes)
	r := run(t, "", "fuse", "--truth", csv+":id,gold", csv)
	if r.code != exitOK || !strings.Contains(r.err, "5 reports in 3 situations") || !strings.Contains(r.err, "precision 1.0000, recall 1.0000") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	r = run(t, "", "fuse", "--extract=false", "--truth", csv+":id,gold", csv)
	if r.code != exitOK || !strings.Contains(r.err, "5 reports in 5 situations") {
		t.Errorf("without extraction, exit %d:\n%s%s", r.code, r.out, r.err)
	}
}

func TestConvertMarksWhatIsExtracted(t *testing.T) {
	lines := `{"agency": "jackson-pd", "record": "1", "narrative": "Driver Ivan Petrovic, plate HNC4821.", "sar": {"behaviors": ["BEHAVIOR_SURVEILLANCE"]}}` + "\n"
	file := write(t, "report.jsonl", lines)
	if r := run(t, "", "convert", file); r.code != exitOK || strings.Count(r.out, `"extracted":true`) != 3 {
		t.Errorf("exit %d, want a person and a plate, marked:\n%s%s", r.code, r.out, r.err)
	}
	if r := run(t, "", "convert", "--extract=false", file); r.code != exitOK || strings.Contains(r.out, "extracted") {
		t.Errorf("exit %d, want none:\n%s%s", r.code, r.out, r.err)
	}
	once := run(t, "", "convert", file).out
	if twice := run(t, once, "convert", "-").out; once != twice {
		t.Errorf("converted again it is\n%s, not\n%s", twice, once)
	}
}
