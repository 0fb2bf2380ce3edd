package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/register"
)

// anchorName is where the keyring keeps how far it knows the register: what an
// exchanged or shortened register would not hold.
const anchorName = "register"

// Desk is the register of credentials with the keys it goes with, for whoever
// lists and revokes. It needs no policy and no running broker.
type Desk struct {
	ring *keyring
	reg  *register.Register
	now  func() time.Time
}

// OpenDesk opens the register of a keys directory in which a broker has run.
func OpenDesk(keysDir, dataDir string, now func() time.Time) (*Desk, error) {
	if _, err := os.Stat(filepath.Join(keysDir, ringFile)); err != nil {
		return nil, fmt.Errorf("no broker has run with the keys of %s: %w", keysDir, err)
	}
	ring, err := openKeyring(keysDir, dataDir)
	if err != nil {
		return nil, err
	}
	return openDesk(ring, now, false)
}

// openDesk opens the register beside the keyring; first makes it where there
// never was one.
func openDesk(ring *keyring, now func() time.Time, first bool) (*Desk, error) {
	d := &Desk{ring: ring, now: now}
	anchor, err := register.ParseMark(ring.get(anchorName))
	if err != nil {
		return nil, fmt.Errorf("read keyring: %w", err)
	}
	d.reg, err = register.Open(ring.dir, anchor)
	if errors.Is(err, register.ErrMissing) && first && anchor.Seq == 0 {
		if err = register.Create(ring.dir, now()); err == nil {
			d.reg, err = register.Open(ring.dir, anchor)
		}
	}
	if err != nil {
		return nil, err
	}
	if first && anchor.Seq == 0 {
		return d, ring.settle(nil, d.reg.Book().Mark())
	}
	return d, nil
}

// State says what a credential is worth.
type State string

// The states.
const (
	Live     State = "live"
	Expiring State = "expiring"
	Ending   State = "ending" // revoked from a time ahead
	Expired  State = "expired"
	Revoked  State = "revoked"
	// Stopped: the key that signed it was replaced.
	Stopped State = "stopped"
)

// Holds says whether it signs in.
func (s State) Holds() bool { return s == Live || s == Expiring || s == Ending }

// Listing is a credential of the register with what it is worth.
type Listing struct {
	register.Credential
	State State
}

// soon is when a credential counts as expiring: in two weeks, or in the last
// tenth of its life if that is later.
func soon(c register.Credential) time.Time {
	life := c.Expires.Sub(c.Issued)
	return c.Expires.Add(-min(14*24*time.Hour, life/10))
}

// List reads the register and lists every credential.
func (d *Desk) List() ([]Listing, error) {
	if _, err := d.reg.Read(); err != nil {
		return nil, err
	}
	var out []Listing
	for _, c := range d.reg.Book().All() {
		out = append(out, Listing{c, d.state(c)})
	}
	return out, nil
}

func (d *Desk) state(c register.Credential) State {
	now := d.now()
	switch {
	case !c.Revoked.IsZero() && !c.Revoked.After(now):
		return Revoked
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return Expired
	case d.stopped(c):
		return Stopped
	case !c.Revoked.IsZero():
		return Ending
	case !now.Before(soon(c)):
		return Expiring
	}
	return Live
}

// stopped: a token ends with those issued before a replacement, a user with
// the key that signed it.
func (d *Desk) stopped(c register.Credential) bool {
	if c.Token() {
		return !c.Issued.After(d.reg.Book().ReplacedAt(c.Cell, c.Principal))
	}
	if len(d.reg.Book().ReplacedSince(d.anchor().Seq)) > 0 && d.replacing(c.Cell, c.Principal) {
		return true
	}
	return c.Signer != d.ring.signerKey(c.Cell, c.Principal)
}

func (d *Desk) anchor() register.Mark {
	m, err := register.ParseMark(d.ring.get(anchorName))
	if err != nil {
		return register.Mark{}
	}
	return m
}

// replacing says whether a principal's signing key is to be replaced and is
// not yet.
func (d *Desk) replacing(cell, principal string) bool {
	for _, e := range d.reg.Book().ReplacedSince(d.anchor().Seq) {
		if e.Cell == cell && e.Principal == principal {
			return true
		}
	}
	return false
}

// Selection picks credentials; what is empty picks all.
type Selection struct {
	// Key is a whole public key or token number, or the first eight characters
	// or more of one.
	Key       string
	Principal string
	Cell      string
	User      string
}

func (s Selection) picks(c register.Credential) bool {
	return (s.Key == "" || strings.HasPrefix(c.Key, s.Key) || strings.HasPrefix(c.Key, register.TokenKey(s.Key))) &&
		(s.Principal == "" || s.Principal == c.Principal) && (s.Cell == "" || s.Cell == c.Cell) && (s.User == "" || s.User == c.User)
}

// ErrNothing: no credential fits. Look at the list.
var ErrNothing = errors.New("no credential fits")

// Reason says who does something and why; it stands in the register.
type Reason struct{ By, Why string }

// Receipt is what was written.
type Receipt struct {
	// Seq is the last line written; zero: nothing had to be.
	Seq     uint64
	Revoked []register.Credential
	// Replaced lists the cells in which the principal's signing key is replaced.
	Replaced []string
}

// Revoke takes back what a selection picks, from a time on. A key that the
// register does not know can be revoked with its principal and cell.
func (d *Desk) Revoke(s Selection, from time.Time, why Reason) (Receipt, error) {
	var r Receipt
	entries, err := d.reg.Append(func(book *register.Book) ([]register.Entry, error) {
		picked := d.pick(book, s, from)
		if len(picked) == 0 {
			return nil, ErrNothing
		}
		var out []register.Entry
		for _, c := range picked {
			out = append(out, d.revocation(c, from, why))
		}
		r.Revoked = picked
		return out, nil
	})
	return r.upto(entries), err
}

// RevokeAll takes back everything of a principal, in one cell or in all: what
// is listed, and by a new signing key what is not, HTTP tokens included.
func (d *Desk) RevokeAll(principal, cell string, why Reason) (Receipt, error) {
	var r Receipt
	entries, err := d.reg.Append(func(book *register.Book) ([]register.Entry, error) {
		now := d.now()
		r.Revoked = d.pick(book, Selection{Principal: principal, Cell: cell}, now)
		r.Replaced = d.ring.signsIn(principal, cell)
		if len(r.Replaced) == 0 {
			return nil, ErrNothing
		}
		var out []register.Entry
		for _, c := range r.Revoked {
			out = append(out, d.revocation(c, now, why))
		}
		for _, in := range r.Replaced {
			out = append(out, register.Entry{At: now.UTC(), Event: register.Replaced, Principal: principal, Cell: in, By: why.By, Why: why.Why})
		}
		return out, nil
	})
	return r.upto(entries), err
}

// Replace replaces the signing key of every principal of a cell, or of one:
// what it signed ends, and has to be issued again.
func (d *Desk) Replace(principal, cell string, why Reason) (Receipt, error) {
	var r Receipt
	entries, err := d.reg.Append(func(book *register.Book) ([]register.Entry, error) {
		var out []register.Entry
		for _, name := range d.ring.signs() {
			in, who, _ := strings.Cut(name, "/")
			if (cell == "" || in == cell) && (principal == "" || who == principal) {
				out = append(out, register.Entry{At: d.now().UTC(), Event: register.Replaced, Principal: who, Cell: in, By: why.By, Why: why.Why})
				r.Replaced = append(r.Replaced, name)
			}
		}
		if len(out) == 0 {
			return nil, ErrNothing
		}
		for _, c := range book.All() {
			if !c.Token() && (cell == "" || c.Cell == cell) && (principal == "" || c.Principal == principal) && d.state(c).Holds() {
				r.Revoked = append(r.Revoked, c)
			}
		}
		return out, nil
	})
	return r.upto(entries), err
}

func (r Receipt) upto(entries []register.Entry) Receipt {
	if n := len(entries); n > 0 {
		r.Seq = entries[n-1].Seq
	}
	return r
}

func (d *Desk) revocation(c register.Credential, from time.Time, why Reason) register.Entry {
	return register.Entry{
		At: d.now().UTC(), Event: register.Revoked, Key: c.Key, Principal: c.Principal, Cell: c.Cell, From: from.UTC(), By: why.By, Why: why.Why,
	}
}

// pick lists what would still hold at a time; a whole key that is not in the
// register counts when its holder is named.
func (d *Desk) pick(book *register.Book, s Selection, from time.Time) []register.Credential {
	var out []register.Credential
	for _, c := range book.All() {
		if s.picks(c) && (c.Revoked.IsZero() || from.Before(c.Revoked)) && (c.Expires.IsZero() || d.now().Before(c.Expires)) {
			out = append(out, c)
		}
	}
	if _, known := book.Find(s.Key); len(out) == 0 && !known && nkeys.IsValidPublicUserKey(s.Key) && s.Principal != "" && s.Cell != "" {
		out = append(out, register.Credential{Key: s.Key, Principal: s.Principal, Cell: s.Cell})
	}
	return out
}

// awaitEvery is how often Await looks.
const awaitEvery = 2 * time.Millisecond

// Await waits until the broker says that it enforces the register up to a line.
func (d *Desk) Await(ctx context.Context, seq uint64) (register.Entry, error) {
	for {
		if _, err := d.reg.Read(); err != nil {
			return register.Entry{}, err
		}
		if e := d.reg.Book().Effective(); e.Upto >= seq {
			return e, nil
		}
		select {
		case <-ctx.Done():
			return register.Entry{}, fmt.Errorf("wait for the broker: %w", ctx.Err())
		case <-time.After(awaitEvery):
		}
	}
}
