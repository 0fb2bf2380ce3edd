package subject

import (
	"regexp"
	"strings"
)

const inletRoot = "inlet."

// Inlet is where one stream of one cell takes in what it stores, and the only
// place: inlet.<word>.<subject>, stored as <subject>. The word is a secret of
// those who write the stream. NATS checks no reply subject, so whatever a
// stream took in on a subject that a reader knows, the reader could have the
// server's answers stored by.
//
// The zero Inlet is none: what is published through it is on its plain subject,
// where no stream of a broker takes anything in.
type Inlet string

// NewInlet is the inlet of a word: a token of lower-case letters and digits.
func NewInlet(word string) Inlet {
	if word == "" {
		return ""
	}
	return Inlet(inletRoot + word + ".")
}

// InletOf reads the inlet from the source of a stream's subject transform.
func InletOf(source string) (Inlet, bool) {
	word, ok := strings.CutPrefix(source, inletRoot)
	if !ok {
		return "", false
	}
	word, ok = strings.CutSuffix(word, ".>")
	if !ok || word == "" || strings.ContainsAny(word, ".*> ") {
		return "", false
	}
	return NewInlet(word), true
}

// Of is where to publish what is to be stored on subj; a pattern gives a pattern.
func (i Inlet) Of(subj string) string { return string(i) + subj }

// All are the inlet's places of several subjects.
func (i Inlet) All(subjects []string) []string {
	out := make([]string, len(subjects))
	for n, s := range subjects {
		out[n] = i.Of(s)
	}
	return out
}

// Source matches everything that comes in by the inlet: with ">" behind it, the
// subject transform of its stream.
func (i Inlet) Source() string { return i.Of(">") }

// Word is the secret.
func (i Inlet) Word() string {
	return strings.TrimSuffix(strings.TrimPrefix(string(i), inletRoot), ".")
}

// words finds the words of inlets in a text.
var words = regexp.MustCompile(`\b(inlet\.)[^.*> "']+\.`)

// Wordless is a text without the words of inlets in it: a record of a refusal
// or a line of a log may be read by who writes no stream.
func Wordless(text string) string {
	if !strings.Contains(text, inletRoot) {
		return text
	}
	return words.ReplaceAllString(text, "${1}(word).")
}

// String does not tell the word.
func (i Inlet) String() string {
	if i == "" {
		return "no inlet"
	}
	return "an inlet"
}
