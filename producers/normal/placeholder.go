package normal

import "strings"

// fillers are what people write when a form wants something, without spaces,
// punctuation and case.
var fillers = map[string]bool{
	"": true, "UNKNOWN": true, "UNK": true, "UNKN": true, "UKN": true, "NONE": true, "NULL": true, "NIL": true, "NA": true,
	"NOTAVAILABLE": true, "NOTAPPLICABLE": true, "NOTGIVEN": true, "NOTPROVIDED": true, "NOTKNOWN": true, "NOTSTATED": true,
	"REFUSED": true, "WITHHELD": true, "TBD": true, "TBA": true, "PENDING": true, "NOPLATE": true, "NOTAG": true, "NOPHONE": true,
	"NOEMAIL": true, "NOADDRESS": true, "NOFIXEDADDRESS": true, "HOMELESS": true, "UNDEFINED": true, "NAN": true, "JOHNDOE": true, "JANEDOE": true,
	"TRANSIENT": true, "ANONYMOUS": true, "BLANK": true, "EMPTY": true, "MISSING": true, "REDACTED": true,
	"1234567": true, "12345678": true, "123456789": true, "1234567890": true, "0123456789": true, "0123456": true, "987654321": true,
}

// Placeholder says whether s stands for nothing known: a filler word, no letter
// or digit at all, or one character repeated (000-00-0000, 9999, XXXXXXX). A
// single or double character is left to its field.
func Placeholder(s string) bool {
	if len(s) > 64 {
		return false
	}
	k := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r >= 0x80:
			return r
		}
		return -1
	}, s)
	return fillers[k] || len(k) >= 3 && strings.Count(k, k[:1]) == len(k)
}
