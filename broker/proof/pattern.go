package proof

import "strings"

// pattern is a subject with wildcards, by tokens: * is any one token, > at the
// end one or more. Every set of subjects that NATS can allow is one.
type pattern []string

// parse reads a subject or pattern; what NATS would not take is no pattern.
func parse(s string) (pattern, bool) {
	if s == "" || strings.ContainsAny(s, " \t\r\n\x00") {
		return nil, false
	}
	p := pattern(strings.Split(s, "."))
	for i, t := range p {
		if t == "" || t == ">" && i < len(p)-1 {
			return nil, false
		}
	}
	return p, true
}

// fixed is a pattern of this package's own.
func fixed(s string) pattern {
	p, ok := parse(s)
	if !ok {
		panic("proof: no pattern: " + s)
	}
	return p
}

func (p pattern) String() string { return strings.Join(p, ".") }

// meet is the set of subjects that both match, which is a pattern again.
func meet(a, b pattern) (pattern, bool) {
	for i := 0; ; i++ {
		switch {
		case i == len(a) && i == len(b):
			return tokens(a, b, i, nil), true
		case i == len(a) || i == len(b):
			return nil, false
		case a[i] == ">":
			return tokens(a, b, i, b[i:]), true
		case b[i] == ">":
			return tokens(a, b, i, a[i:]), true
		case a[i] != b[i] && a[i] != "*" && b[i] != "*":
			return nil, false
		}
	}
}

// tokens joins the first n of a and b, the narrower of each pair, and the rest.
func tokens(a, b pattern, n int, rest pattern) pattern {
	out := make(pattern, 0, n+len(rest))
	for i := range n {
		if a[i] == "*" {
			out = append(out, b[i])
		} else {
			out = append(out, a[i])
		}
	}
	return append(out, rest...)
}

// touches says whether some subject matches both.
func touches(a, b pattern) bool {
	for i := 0; ; i++ {
		switch {
		case i == len(a) || i == len(b):
			return len(a) == len(b)
		case a[i] == ">" || b[i] == ">":
			return true
		case a[i] != b[i] && a[i] != "*" && b[i] != "*":
			return false
		}
	}
}

// within says whether every subject of a matches b.
func within(a, b pattern) bool {
	for i := 0; ; i++ {
		switch {
		case i == len(a) || i == len(b):
			return len(a) == len(b)
		case b[i] == ">":
			return true
		case a[i] == ">":
			return false
		case b[i] != "*" && a[i] != b[i]:
			return false
		}
	}
}

// token is the one word at i, or ok false where the pattern leaves it open.
func (p pattern) token(i int) (word string, ok bool) {
	if i >= len(p) || p[i] == "*" || p[i] == ">" {
		return "", false
	}
	if i > 0 && p[i-1] == ">" {
		return "", false
	}
	return p[i], true
}

// widened is the pattern that covers whatever a template makes of s: it ends
// where the first thing stands that somebody fills in.
func widened(s string, marks ...string) string {
	t := strings.Split(s, ".")
	for i, w := range t {
		for _, m := range marks {
			if strings.Contains(w, m) {
				return strings.Join(append(t[:i:i], ">"), ".")
			}
		}
	}
	return s
}
