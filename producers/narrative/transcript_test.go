package narrative_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/producers/narrative"
)

var rewrite = flag.Bool("rewrite", false, "write what is found into the transcript")

const transcript = "testdata/sentences.txt"

// The transcript holds sentences of many hands (blotter, tip line, hospital,
// weather, network, military, capitals) and texts in which there is nothing to
// find, each with everything that is found in it. A line that begins with "!"
// says what a reader finds and the rules do not.
func TestSentences(t *testing.T) {
	data, err := os.ReadFile(transcript)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	sentences := 0
	for block := range strings.SplitSeq(strings.TrimRight(string(data), "\n"), "\n\n") {
		text, rest, _ := strings.Cut(block, "\n")
		sentences++
		out.WriteString(text + "\n")
		for _, f := range narrative.Extract(text, context) {
			out.WriteString("  " + told(f) + "\n")
		}
		for line := range strings.Lines(rest) {
			if strings.HasPrefix(line, "!") {
				out.WriteString(strings.TrimRight(line, "\n") + "\n")
			}
		}
		out.WriteString("\n")
	}
	got := strings.TrimRight(out.String(), "\n") + "\n"
	if sentences < 60 {
		t.Errorf("%d sentences: the transcript is no longer read whole", sentences)
	}
	if diff := cmp.Diff(string(data), got); diff != "" {
		if *rewrite {
			if err := os.WriteFile(transcript, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s (-want +got), -rewrite when it is right:\n%s", transcript, diff)
	}
}

func told(f narrative.Finding) string {
	s := string(f.Kind) + " " + f.Normal
	if i := f.Identifier.GetIssuer(); i != "" {
		s += " of " + i
	}
	if f.Of > 0 {
		s += fmt.Sprintf(" -> %d", f.Of)
	}
	return s
}
