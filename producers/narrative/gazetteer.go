package narrative

import (
	_ "embed"
	"strconv"
	"strings"
)

// The tables of places, sorted by name. Facts alone; DESIGN.md says whence.
//
// counties.txt: name|state|fips|latitude|longitude|radius km|c or i (independent city)
// cities.txt: name|state|county fips|latitude|longitude|radius km
// facilities.txt: name|state|latitude|longitude|radius m|class
//
// Degrees are in ten thousandths. They are searched where they lie, so that a
// program that never asks pays nothing at its start.
var (
	//go:embed counties.txt
	countyTable string
	//go:embed cities.txt
	cityTable string
	//go:embed facilities.txt
	facilityTable string
)

// entries are the lines of a sorted table whose name is name.
func entries(table, name string) []string {
	if name == "" || len(name) > 64 {
		return nil
	}
	lo, hi := 0, len(table)
	for lo < hi { // the first line whose name is not less
		mid := lo + (hi-lo)/2
		start := strings.LastIndexByte(table[lo:mid], '\n') + 1 + lo
		line := table[start:]
		line = line[:strings.IndexByte(line, '\n')]
		if lineName(line) < name {
			lo = start + len(line) + 1
		} else {
			hi = start
		}
	}
	var out []string
	for rest := table[lo:]; rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		if lineName(line) != name {
			break
		}
		out, rest = append(out, line), after
	}
	return out
}

func lineName(line string) string {
	name, _, _ := strings.Cut(line, "|")
	return name
}

// spot is a line of a table, read.
type spot struct {
	state, fips string
	lat, lon    float64
	radius      float64 // metres
	class       string
}

func degrees(s string) float64 {
	v, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return float64(v) / 1e4
}

func readSpot(line string, fips bool) spot {
	p := strings.Split(line, "|")
	o := spot{state: p[1]}
	p = p[2:]
	if fips {
		o.fips, p = p[0], p[1:]
	}
	o.lat, o.lon = degrees(p[0]), degrees(p[1])
	r, err := strconv.Atoi(p[2])
	if err == nil {
		o.radius = float64(r)
	}
	if fips {
		o.radius *= 1000
	}
	if len(p) > 3 {
		o.class = p[3]
	}
	return o
}

// choose is the entry of the state; without one, the only entry there is.
func choose(lines []string, state string, fips bool) (spot, bool) {
	if state == "" {
		if len(lines) != 1 {
			return spot{}, false
		}
		return readSpot(lines[0], fips), true
	}
	for _, l := range lines {
		if s := readSpot(l, fips); s.state == state {
			return s, true
		}
	}
	return spot{}, false
}

// placeName is a name as the tables write it: lower case, no dots or
// apostrophes, one space between words.
func placeName(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.' || c == '\'':
			continue
		case c == '-' || isSpace(c):
			if len(b) > 0 && b[len(b)-1] != ' ' {
				b = append(b, ' ')
			}
			continue
		case strings.HasPrefix(s[i:], "’"):
			i += len("’") - 1
			continue
		case isUpper(c):
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return strings.TrimRight(string(b), " ")
}
