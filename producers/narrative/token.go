package narrative

// shape is what a token is made of.
type shape uint8

const (
	symbol shape = iota // one character that is neither letter nor digit
	word                // letters, with apostrophes inside
	number              // digits
	mixed               // letters and digits
)

// letters is how a word is written.
type letters uint8

const (
	lower   letters = iota // no capital, or no letter
	title                  // the first letter is a capital
	upper                  // all are capitals, and there are two or more
	initial                // a single capital letter
	camel                  // capitals inside: McDonald, iPhone
)

// token is a piece of the text.
type token struct {
	start, end int32
	shape      shape
	letters    letters
	// gap: white space or the beginning stands before it; line: a line end.
	gap, line bool
	class     class
}

// foldASCII is s in lower case, byte for byte.
func foldASCII(s string) string {
	b := make([]byte, len(s))
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	return string(b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// isAlpha also takes what begins or goes on a letter of another script; C2 and
// E2 begin signs: degrees, dashes, quotation marks.
func isAlpha(c byte) bool { return isUpper(c) || isLower(c) || c >= 0x80 && c != 0xC2 && c != 0xE2 }
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// tokenize cuts text into tokens and looks each word up, in one pass.
func tokenize(text, low string) []token {
	toks := make([]token, 0, len(text)/5+8)
	gap, line := true, true
	for i := 0; i < len(text); {
		c := text[i]
		if isSpace(c) {
			gap = true
			line = line || c == '\n'
			i++
			continue
		}
		t := token{start: int32(i), gap: gap, line: line}
		gap, line = false, false
		i = t.read(text, i)
		t.end = int32(i)
		if t.shape != symbol {
			t.class = lexicon[low[t.start:t.end]]
		}
		toks = append(toks, t)
	}
	return toks
}

// read takes the token that starts at i and returns where it ends.
func (t *token) read(text string, i int) int {
	if !isAlpha(text[i]) && !isDigit(text[i]) {
		for i++; i < len(text) && text[i] >= 0x80 && text[i] < 0xC0; i++ {
		}
		return i
	}
	start, caps, small, digits := i, 0, 0, 0
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case isDigit(c):
			digits++
		case isUpper(c):
			caps++
		case isAlpha(c):
			small++
		case c == '\'' && apostrophe(text, i):
		default:
			goto done
		}
	}
done:
	first := isUpper(text[start])
	switch {
	case digits == 0:
		t.shape = word
	case caps+small == 0:
		t.shape = number
	default:
		t.shape = mixed
	}
	switch {
	case caps == 0:
		t.letters = lower
	case caps == 1 && small == 0 && digits == 0:
		t.letters = initial
	case small == 0:
		t.letters = upper
	case first && caps == 1:
		t.letters = title
	default:
		t.letters = camel
	}
	return i
}

// apostrophe says whether the one at i joins letters of a name (O'Neil), and
// does not end it (the man's).
func apostrophe(text string, i int) bool {
	return i > 0 && i+2 < len(text) && isAlpha(text[i-1]) && isAlpha(text[i+1]) && isAlpha(text[i+2]) && isUpper(text[i+1])
}
