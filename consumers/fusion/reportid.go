package fusion

import "strings"

// reportID is the id of a report: a UUID in its usual form as its bytes, any
// other as it is written.
type reportID struct {
	uuid [16]byte
	text string // "" for a UUID
}

func reportIDOf(s string) reportID {
	if u, ok := uuidOf(s); ok {
		return reportID{uuid: u}
	}
	return reportID{text: s}
}

// String writes the id into memory of its own.
func (i reportID) String() string {
	if i.text != "" {
		return strings.Clone(i.text)
	}
	var out [36]byte
	at := 0
	for n, c := range i.uuid {
		if n == 4 || n == 6 || n == 8 || n == 10 {
			out[at] = '-'
			at++
		}
		out[at], out[at+1] = hexDigits[c>>4], hexDigits[c&15]
		at += 2
	}
	return string(out[:])
}

// compare is the order of ids as they are written.
func (i reportID) compare(o reportID) int {
	if i.text == "" && o.text == "" {
		return strings.Compare(string(i.uuid[:]), string(o.uuid[:]))
	}
	return strings.Compare(i.String(), o.String())
}

// uuidOf reads a UUID in its usual form, lower case.
func uuidOf(s string) (out [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return out, false
	}
	at := 0
	for i := range out {
		if s[at] == '-' {
			at++
		}
		hi, lo := unhex[s[at]], unhex[s[at+1]]
		if hi|lo > 15 {
			return out, false
		}
		out[i] = hi<<4 | lo
		at += 2
	}
	return out, true
}

const hexDigits = "0123456789abcdef"

// unhex holds the value of each lower-case hexadecimal digit, 255 for the rest.
var unhex = func() (out [256]byte) {
	for i := range out {
		out[i] = 255
	}
	for i := range len(hexDigits) {
		out[hexDigits[i]] = byte(i)
	}
	return out
}()
