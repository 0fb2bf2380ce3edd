package proof

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/label"
)

// Door is an HTTP listener: it shows what the API principal of its cell reads
// to whoever has a token signed with its key.
type Door struct {
	// Cells it is for: one.
	Cells []string
	Key   []byte
}

// Bounds are what the policy says of a reader's tokens. The zero value allows
// none.
type Bounds struct {
	// Type is person or service.
	Type     string
	Purposes []string
	Longest  time.Duration
}

// longest are how long a token may hold whatever a policy says.
var longest = map[string]time.Duration{"person": 12 * time.Hour, "service": 30 * 24 * time.Hour}

// minKey is the shortest key of a door, in bytes.
const minKey = 32

// HTTP is what a token opens.
type HTTP struct {
	Purpose string
	// Shows are the labels of what the listener shows.
	Shows []label.Label
	Path  []string
}

// claims are what a token says.
type claims struct {
	ID      string    `json:"id"`
	Reader  string    `json:"reader"`
	Kind    string    `json:"kind"`
	Cell    string    `json:"cell"`
	Purpose string    `json:"purpose"`
	Issued  time.Time `json:"issued"`
	Expires time.Time `json:"expires"`
}

// doors looks at the listeners, and at who opens them with the tokens that are
// issued.
func (j *judge) doors(w World) {
	for i, d := range w.Doors {
		j.door(d, w.Doors[:i])
	}
	for _, token := range w.Tokens {
		j.token(token, w.Doors)
	}
}

func (j *judge) doorLeak(d Door, kind, format string, args ...any) {
	j.leaks = append(j.leaks, Leak{Kind: kind, Cell: strings.Join(d.Cells, " and "), Path: []string{"listener of " + strings.Join(d.Cells, " and ")}, Message: fmt.Sprintf(format, args...)})
}

func (j *judge) door(d Door, before []Door) {
	if len(d.Cells) != 1 {
		j.doorLeak(d, "listener", "serves %d cells: a listener is of one", len(d.Cells))
	}
	if len(d.Key) < minKey {
		j.doorLeak(d, "credential", "the key of its tokens has %d bytes, not %d", len(d.Key), minKey)
	}
	for _, o := range before {
		if hmac.Equal(o.Key, d.Key) {
			j.doorLeak(d, "credential", "accepts the tokens of the listener of %s", strings.Join(o.Cells, " and "))
		}
	}
	for _, cell := range d.Cells {
		if j.model.labelOf(cell).IsZero() {
			j.doorLeak(d, "listener", "serves %q, which is no cell", cell)
		}
	}
}

// shows is what the listener's own principal reads in its cells.
func (j *judge) shows(d Door) []label.Label {
	var out []label.Label
	for _, s := range j.standings {
		if s.Principal.Kind != API || !slices.Contains(d.Cells, s.Cell) {
			continue
		}
		for _, g := range s.Grants {
			for _, e := range g.Effects {
				for _, l := range e.Labels {
					if !slices.Contains(out, l) {
						out = append(out, l)
					}
				}
			}
		}
	}
	slices.SortFunc(out, compareLabels)
	return out
}

// token is tried at every listener.
func (j *judge) token(text string, doors []Door) {
	c, err := readClaims(text)
	if err != nil {
		j.leaks = append(j.leaks, Leak{Kind: "credential", Path: []string{"a token"}, Message: "cannot be read: " + err.Error()})
		return
	}
	who, known := j.model.principals[string(Reader)+"/"+c.Reader+"@"]
	if !known {
		who = Principal{Kind: Reader, Name: c.Reader}
		j.tokenLeak(who, c, "credential", "is nobody of the policy")
	}
	j.bounded(who, c)
	opened := 0
	for _, d := range doors {
		if signedBy(d.Key, text) {
			opened++
			j.opens(who, c, d)
		}
	}
	if opened == 0 {
		j.tokenLeak(who, c, "unused", "opens no listener")
	}
}

func (j *judge) tokenLeak(who Principal, c claims, kind, format string, args ...any) {
	path := []string{"token for " + c.Purpose}
	j.leaks = append(j.leaks, Leak{Kind: kind, Who: who.String(), Cell: c.Cell, Path: path, Message: fmt.Sprintf(format, args...)})
}

// bounded: a token says as what and what for, and ends.
func (j *judge) bounded(who Principal, c claims) {
	most := min(who.Tokens.Longest, longest[c.Kind])
	lifetime := c.Expires.Sub(c.Issued)
	if c.Kind != who.Tokens.Type || c.Kind == "" {
		j.tokenLeak(who, c, "credential", "says that it is of a %s, and its reader is a %s", c.Kind, who.Tokens.Type)
	}
	if !slices.Contains(who.Tokens.Purposes, c.Purpose) {
		j.tokenLeak(who, c, "credential", "is for %q, which its reader does not read for", c.Purpose)
	}
	if c.Issued.IsZero() || lifetime <= 0 || lifetime > most {
		j.tokenLeak(who, c, "credential", "holds for %s, not at most for %s", lifetime, most)
	}
	if c.ID == "" {
		j.tokenLeak(who, c, "credential", "has no id to revoke it by")
	}
}

// opens: what the listener shows, the reader's own label must dominate, and it
// must be cleared for the cell itself.
func (j *judge) opens(who Principal, c claims, d Door) {
	at := strings.Join(d.Cells, " and ")
	path := []string{"token for " + c.Purpose, "listener of " + at}
	say := func(kind string, more []string, format string, args ...any) {
		j.leaks = append(j.leaks, Leak{Kind: kind, Who: who.String(), Cell: at, Path: append(slices.Clone(path), more...), Message: fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(d.Cells, c.Cell) {
		say("credential", nil, "says that it is of %s", c.Cell)
	}
	for _, l := range j.shows(d) {
		if !j.reads(who, l) {
			say("label", []string{l.String()}, "its own label is %s", j.own(who))
		}
	}
	for _, cell := range d.Cells {
		if !slices.Contains(who.Cells, cell) {
			say("standing", nil, "its reader is not cleared for %s", cell)
		}
		j.stand(who, cell, HTTP{Purpose: c.Purpose, Shows: j.shows(d), Path: path})
	}
}

// stand notes what a token opens, beside what the reader may do otherwise.
func (j *judge) stand(who Principal, cell string, h HTTP) {
	for i := range j.standings {
		s := &j.standings[i]
		if s.Cell == cell && s.Principal.String() == who.String() {
			s.HTTP = append(s.HTTP, h)
			return
		}
	}
	j.standings = append(j.standings, Standing{Principal: who, Cell: cell, HTTP: []HTTP{h}})
}

// readClaims reads a token as it stands, whoever signed it.
func readClaims(text string) (c claims, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return c, fmt.Errorf("it has %d parts", len(parts))
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, errors.New("there is more after what it says")
	}
	return c, nil
}

// signedBy says whether a key signed the token.
func signedBy(key []byte, text string) bool {
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		return false
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(text[at+1:])
	if err != nil {
		return false
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text[:at]))
	return hmac.Equal(sum, h.Sum(nil))
}
