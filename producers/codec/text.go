package codec

import "strings"

// Clean is free text without control characters: tabs and line ends stay, a
// carriage return is a line end.
func Clean(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s))
}

// Line is text on one line with single spaces.
func Line(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }
