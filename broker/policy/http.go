package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Purpose is something that one may read for.
type Purpose struct {
	Name string
	// Basis says who needs to know and by which right (28 CFR 23.20(e) wants
	// both defined in writing).
	Basis string
}

// HTTP bounds the tokens of readers and what one reader may ask for.
type HTTP struct {
	// Person and Service are how long a token holds at most.
	Person, Service time.Duration
	// Requests per second of one reader.
	Requests int
	// Streams of events that one reader may hold open.
	Streams int
}

// The longest that a policy may let a token hold, and what holds where it says
// nothing.
const (
	// MaxToken is the longest of any token.
	MaxToken = longestService

	longestPerson   = 12 * time.Hour
	longestService  = 30 * day
	defaultRequests = 50
	defaultStreams  = 32
	maxRequests     = 10_000
	maxStreams      = 1024
)

// LongestToken is how long a token of a reader of the type may hold; zero for
// any other type: none.
func (p *Policy) LongestToken(t ReaderType) time.Duration {
	switch t {
	case Person:
		return p.HTTP.Person
	case Service:
		return p.HTTP.Service
	}
	return 0
}

// UsualToken is how long a token holds when nobody says: eight hours of a
// person, a day of a service, or less where the policy allows less.
func (p *Policy) UsualToken(t ReaderType) time.Duration {
	switch t {
	case Person:
		return min(8*time.Hour, p.HTTP.Person)
	case Service:
		return min(day, p.HTTP.Service)
	}
	return 0
}

// ReadsFor says whether the reader may read for the purpose.
func (p *Policy) ReadsFor(reader, purpose string) bool {
	r, ok := p.Reader(reader)
	return ok && slices.Contains(r.Purposes, purpose)
}

const maxPurpose = 100

func (c *checker) purposes(entries []purposeEntry) []Purpose {
	var out []Purpose
	for i, e := range entries {
		path := fmt.Sprintf("$.purposes[%d]", i)
		c.purposeName(path+".name", e.Name)
		if strings.TrimSpace(e.Basis) == "" || len(e.Basis) > 500 {
			c.fail(path+".basis", "say in at most 500 bytes who needs to know, and by which right")
		}
		if slices.ContainsFunc(out, func(o Purpose) bool { return o.Name == e.Name }) {
			c.fail(path+".name", "purpose %q is named twice", e.Name)
		}
		out = append(out, Purpose(e))
	}
	slices.SortFunc(out, func(a, b Purpose) int { return compare(a.Name, b.Name) })
	return out
}

// purposeName checks what will stand in tokens and records.
func (c *checker) purposeName(path, name string) {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.TrimSpace(name) == "" || len(name) > maxPurpose || strings.ContainsFunc(name, odd) {
		c.fail(path, "say in one line of at most %d bytes why the reader may read", maxPurpose)
	}
}

// readerPurposes reads either form; every one is of the closed list, where
// there is one.
func (c *checker) readerPurposes(p *Policy, path string, e readerEntry) []string {
	list, at := e.Purposes, func(i int) string { return fmt.Sprintf("%s.purposes[%d]", path, i) }
	if len(e.Purposes) == 0 {
		list, at = []string{e.Purpose}, func(int) string { return path + ".purpose" }
	} else if e.Purpose != "" {
		c.fail(path+".purpose", "is said twice: use either purpose or purposes")
	}
	for i, name := range list {
		c.purposeName(at(i), name)
		if slices.Contains(list[:i], name) {
			c.fail(at(i), "%q is named twice", name)
		}
		known := func(x Purpose) bool { return x.Name == name }
		if len(p.Purposes) > 0 && !slices.ContainsFunc(p.Purposes, known) {
			c.fail(at(i), "%q is none of the purposes of this policy", name)
		}
	}
	return slices.Clone(list)
}

func (c *checker) http(e httpEntry) HTTP {
	h := HTTP{Person: longestPerson, Service: longestService, Requests: defaultRequests, Streams: defaultStreams}
	c.token("$.http.person_token", e.PersonToken, &h.Person)
	c.token("$.http.service_token", e.ServiceToken, &h.Service)
	c.bound("$.http.requests", e.Requests, maxRequests, &h.Requests)
	c.bound("$.http.streams", e.Streams, maxStreams, &h.Streams)
	return h
}

// token lowers the longest that a token holds.
func (c *checker) token(path, text string, longest *time.Duration) {
	if text == "" {
		return
	}
	d := c.span(path, text)
	if d > *longest {
		c.fail(path, "is longer than %s, which no such token may hold", *longest)
	}
	*longest = d
}

func (c *checker) bound(path string, n, most int, into *int) {
	if n == 0 {
		return
	}
	if n < 1 || n > most {
		c.fail(path, "is %d; use 1 to %d", n, most)
	}
	*into = n
}
