package cap

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// codes are the counties, states and forecast zones of an area.
type codes struct{ counties, states, zones []string }

// geocodes reads SAME, FIPS6 and UGC codes and the states of ISO 3166-2. What
// is in no table is noted, never an error: the area has other ways to be said.
func (c *converter) geocodes(values []Value, path string) codes {
	var out codes
	for i, v := range values {
		switch v.Name {
		case "SAME", "FIPS6":
			for _, s := range strings.Fields(v.Value) {
				if !out.addSAME(s) {
					c.notes = append(c.notes, fmt.Sprintf("%s.geocode[%d]: %s %s is no county or state and is left out", path, i, v.Name, quote(s)))
				}
			}
		case "UGC":
			if bad := out.addUGC(v.Value); bad != "" {
				c.notes = append(c.notes, fmt.Sprintf("%s.geocode[%d]: UGC %s is no county or zone and is left out", path, i, quote(bad)))
			}
		case "ISO 3166-2":
			if st, ok := strings.CutPrefix(v.Value, "US-"); ok && stateFIPS[st] != "" {
				out.states = union(out.states, []string{st})
			}
		}
	}
	return out
}

// places makes a place of every county, and of every state no county stands for.
func (o codes) places() []*wf.Place {
	var out []*wf.Place
	named := map[string]bool{}
	for _, fips := range o.counties {
		st := strings.ToUpper(subject.StateOfFIPS(fips))
		named[st] = true
		out = append(out, &wf.Place{CountyFips: fips, State: st})
	}
	states := slices.Clone(o.states)
	for _, z := range o.zones {
		if stateFIPS[z[:2]] != "" {
			states = union(states, []string{z[:2]})
		}
	}
	for _, st := range states {
		if !named[st] {
			out = append(out, &wf.Place{State: st})
		}
	}
	return out
}

// addSAME reads PSSCCC: part of the county, state, county; 000 is the whole state.
func (o *codes) addSAME(s string) bool {
	if len(s) != 6 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	if s == "000000" {
		return true // the nation: no county, no state
	}
	fips := s[1:]
	st := strings.ToUpper(subject.StateOfFIPS(fips))
	if st == "" {
		return false
	}
	if fips[2:] == "000" {
		o.states = union(o.states, []string{st})
	} else {
		o.counties = union(o.counties, []string{fips})
	}
	return true
}

// addUGC reads a UGC string: MSZ018-019-025>066, MSC049, ALZ024-291300-. It
// returns what it could not read.
func (o *codes) addUGC(s string) string {
	prefix := ""
	parts := strings.Split(strings.Trim(strings.Join(strings.Fields(s), ""), "-"), "-")
	for i, part := range parts {
		if i > 0 && i == len(parts)-1 && len(part) == 6 && strings.Trim(part, "0123456789") == "" {
			continue // the purge time, ddhhmm
		}
		if len(part) > 3 && part[0] >= 'A' && part[0] <= 'Z' {
			prefix, part = part[:3], part[3:]
		}
		if !ugcPrefix(prefix) || !o.addRange(prefix, part) {
			return part
		}
	}
	return ""
}

// ugcPrefix says whether p is two letters and C or Z.
func ugcPrefix(p string) bool {
	return len(p) == 3 && p[0] >= 'A' && p[0] <= 'Z' && p[1] >= 'A' && p[1] <= 'Z' && (p[2] == 'C' || p[2] == 'Z')
}

// addRange adds one number, or every number of a range "025>066".
func (o *codes) addRange(prefix, part string) bool {
	lo, hi, isRange := strings.Cut(part, ">")
	if !isRange {
		hi = lo
	}
	from, ok1 := threeDigits(lo)
	to, ok2 := threeDigits(hi)
	if !ok1 || !ok2 || from > to {
		return part == "ALL" || part == "000"
	}
	for n := from; n <= to; n++ {
		code := fmt.Sprintf("%03d", n)
		if prefix[2] == 'Z' {
			o.zones = union(o.zones, []string{prefix + code})
			continue
		}
		fips := stateFIPS[prefix[:2]]
		if fips == "" {
			return false
		}
		if n == 0 {
			o.states = union(o.states, []string{prefix[:2]})
		} else {
			o.counties = union(o.counties, []string{fips + code})
		}
	}
	return true
}

func threeDigits(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && len(s) == 3 && n >= 0
}

// stateFIPS maps USPS codes, upper case, to state codes.
var stateFIPS = func() map[string]string {
	m := map[string]string{}
	for n := 1; n < 100; n++ {
		fips := fmt.Sprintf("%02d", n)
		if st := subject.StateOfFIPS(fips); st != "" {
			m[strings.ToUpper(st)] = fips
		}
	}
	return m
}()
