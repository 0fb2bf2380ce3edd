package report

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// Sizes in bytes, and counts of repeated fields.
const (
	maxToken = 128      // codes and words of a list
	maxName  = 1 << 10  // names, record ids
	maxTitle = 4 << 10  // titles, place names
	maxText  = 64 << 10 // paragraphs
	maxFew   = 64       // short lists
	maxMany  = 1 << 10  // places, entities
	maxRefs  = 10_000   // references, folded objects
	maxRing  = 25_000   // points of a polygon
)

// Most entities and places of a report, for those who add to one.
const (
	MaxEntities = maxMany
	MaxPlaces   = maxMany
)

// text checks free text: length, UTF-8, and no control characters other than
// tab and line ends, because text ends up on terminals and pages.
func (c *checker) text(field, s string, limit int) {
	if s == "" {
		return
	}
	if len(s) > limit {
		c.tooLong(field, len(s), limit)
		return
	}
	c.runes(field, s, true)
}

// line checks text of one line.
func (c *checker) line(field, s string, limit int) {
	if s == "" {
		return
	}
	if len(s) > limit {
		c.tooLong(field, len(s), limit)
		return
	}
	c.runes(field, s, false)
}

// lines checks a list of one-line texts, none of them empty.
func (c *checker) lines(field string, list []string, count, limit int) {
	if !c.count(field, len(list), count) {
		return
	}
	for i, s := range list {
		switch {
		case s == "":
			c.refuseAt(admission.Missing, field, i, "the element is empty", "leave it out")
		case len(s) > limit:
			c.refuseAt(admission.TooLarge, field, i, fmt.Sprintf("the text has %d bytes, at most %d are allowed", len(s), limit), "shorten it")
		case !cleanText(s, false):
			c.refuseAt(codeOfText(s), field, i, messageOfText(s), remedyText)
		}
	}
}

func (c *checker) runes(field, s string, multiline bool) {
	if !cleanText(s, multiline) {
		c.refuse(codeOfText(s), field, messageOfText(s), remedyText)
	}
}

const remedyText = "send plain UTF-8 text; tab and line ends are allowed in free text only"

func codeOfText(s string) admission.Code {
	if !utf8.ValidString(s) {
		return admission.InvalidUTF8
	}
	return admission.Invalid
}

func messageOfText(s string) string {
	if !utf8.ValidString(s) {
		return "the text is not valid UTF-8"
	}
	return "the text holds control characters"
}

// cleanText says whether s is UTF-8 without control characters; tab, line feed
// and carriage return are allowed when multiline.
func cleanText(s string, multiline bool) bool {
	ascii := true
	for i := range len(s) {
		b := s[i]
		if b >= 0x20 && b < 0x7f {
			continue
		}
		if b >= 0x80 {
			ascii = false
			continue
		}
		if !multiline || b != '\n' && b != '\t' && b != '\r' {
			return false
		}
	}
	if ascii {
		return true
	}
	if !utf8.ValidString(s) {
		return false
	}
	for i := 0; i+1 < len(s); i++ {
		if s[i] == 0xc2 && s[i+1] < 0xa0 { // C1 controls U+0080 to U+009F
			return false
		}
	}
	return true
}

func (c *checker) tooLong(field string, have, limit int) {
	c.refuse(admission.TooLarge, field, fmt.Sprintf("the text has %d bytes, at most %d are allowed", have, limit), "shorten it")
}

// count bounds a repeated field; false when it is over.
func (c *checker) count(field string, have, limit int) bool {
	if have <= limit {
		return true
	}
	c.refuse(admission.TooLarge, field, fmt.Sprintf("the field has %d elements, at most %d are allowed", have, limit), "send fewer, or split the report")
	return false
}

// need refuses an empty text.
func (c *checker) need(field, s, remedy string) {
	if s == "" {
		c.refuse(admission.Missing, field, "the field is empty", remedy)
	}
}

// language checks the shape of an RFC 5646 tag; empty is en-US.
func (c *checker) language(field, s string) {
	if s != "" && !languageTag(s) {
		c.refuse(admission.Invalid, field, quoted("language", s)+" is not a language tag", "use an RFC 5646 tag such as en-US or es")
	}
}

func languageTag(s string) bool {
	if len(s) > 35 {
		return false
	}
	part := 0
	first := true
	for i := range len(s) {
		switch b := s[i]; {
		case b == '-':
			if part == 0 {
				return false
			}
			part, first = 0, false
		case isAlpha(b) || !first && isDigit(b):
			if part++; part > 8 {
				return false
			}
		default:
			return false
		}
	}
	return part > 0
}

// format checks the name of the source format.
func (c *checker) format(s string) {
	ok := len(s) <= maxToken
	for i := range len(s) {
		b := s[i]
		ok = ok && (isAlpha(b) || isDigit(b) || b == '.' || b == ':' || b == '-' || b == '_')
	}
	if !ok {
		c.refuse(admission.Invalid, "source_format", quoted("format", s)+" is not the name of a format", "use a word such as cap-1.2 or csv:police")
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
func isUpper(b byte) bool { return b >= 'A' && b <= 'Z' }
func isLower(b byte) bool { return b >= 'a' && b <= 'z' }
func isAlpha(b byte) bool { return isUpper(b) || isLower(b) }

// foldedText says whether s is lower case with single spaces between words.
func foldedText(s string) bool {
	gap := true
	for _, r := range s {
		switch {
		case r == ' ':
			if gap {
				return false
			}
			gap = true
			continue
		case r < utf8.RuneSelf && isUpper(byte(r)), r >= utf8.RuneSelf && unicode.ToLower(r) != r:
			return false
		}
		gap = false
	}
	return !gap || s == ""
}
