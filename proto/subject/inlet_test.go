package subject_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/proto/subject"
)

func TestInlet(t *testing.T) {
	in := subject.NewInlet("3f9a")
	if got, want := in.Of("refusal.le.fbi"), "inlet.3f9a.refusal.le.fbi"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, ok := subject.InletOf(in.Source()); !ok || got != in || got.Word() != "3f9a" {
		t.Errorf("got %q, %v; want what it was written from", string(got), ok)
	}
	for _, source := range []string{"", ">", "inlet.>", "inlet..>", "inlet.a.b.>", "inlet.*.>", "inlet.a", "report.>"} {
		if got, ok := subject.InletOf(source); ok || got != "" {
			t.Errorf("%q is read as inlet %q", source, string(got))
		}
	}
}

// The zero inlet leaves subjects as they are: no stream of a broker takes in
// anything there.
func TestNoInlet(t *testing.T) {
	var none subject.Inlet
	if got := none.Of("refusal.le.fbi"); got != "refusal.le.fbi" || subject.NewInlet("") != none {
		t.Errorf("got %s", got)
	}
}

// What is logged or recorded keeps its sense and loses the word.
func TestWordless(t *testing.T) {
	for text, want := range map[string]string{
		"inlet.3f9a.report.le":                             "inlet.(word).report.le",
		`Publish Violation - Subject "inlet.3f9a.orcon.x"`: `Publish Violation - Subject "inlet.(word).orcon.x"`,
		"inlet.3f9a.a and inlet.77b1.b":                    "inlet.(word).a and inlet.(word).b",
		"inlet.*.report.> and inlet.>":                     "inlet.*.report.> and inlet.>",
		"report.le":                                        "report.le",
	} {
		if got := subject.Wordless(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// A log line with an inlet in it does not tell the word.
func TestAnInletIsNotPrinted(t *testing.T) {
	if got := fmt.Sprintf("%v %s", subject.NewInlet("3f9a"), subject.NewInlet("3f9a")); strings.Contains(got, "3f9a") {
		t.Errorf("printed as %q", got)
	}
}
