package stix

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/codec"
)

func lines(list []string) []string {
	var out []string
	for _, s := range list {
		if s = codec.Line(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// short cuts a title at most bytes, at the end of a character.
func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
