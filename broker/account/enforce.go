package account

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/broker/register"
)

// Change is what a running server has to learn of the register.
type Change struct {
	// Upto is the line up to which it then enforces.
	Upto uint64
	// Accounts are new account JWTs by public key.
	Accounts map[string]string
	// Users and Signers are the public keys that no longer hold, of users and of
	// what signed them.
	Users, Signers map[string]bool
}

// With is c, which was not taken yet, and a newer one together.
func (c Change) With(newer Change) Change {
	out := Change{Upto: max(c.Upto, newer.Upto), Accounts: map[string]string{}, Users: map[string]bool{}, Signers: map[string]bool{}}
	for _, x := range []Change{c, newer} {
		maps.Copy(out.Accounts, x.Accounts)
		maps.Copy(out.Users, x.Users)
		maps.Copy(out.Signers, x.Signers)
	}
	return out
}

// Enforce reads what was added to the register, and what of it holds from now
// on, and makes the accounts anew that it concerns. It says whether the server
// has anything to learn. An error means that nobody knows what is revoked:
// what was known stays in force, and nothing is issued or accepted by a token.
func (a *Authority) Enforce() (Change, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.desk == nil {
		return Change{}, false, nil
	}
	added, err := a.desk.reg.Read()
	a.unread = err
	if err != nil {
		return Change{}, false, err
	}
	now := a.now()
	due := !a.due.IsZero() && !now.Before(a.due)
	if !added && !due && !a.desk.reg.Book().Waits() {
		return Change{}, false, nil
	}
	return a.enforce(now)
}

func (a *Authority) enforce(now time.Time) (Change, bool, error) {
	book := a.desk.reg.Book()
	c := Change{Upto: book.Mark().Seq, Accounts: map[string]string{}, Users: map[string]bool{}, Signers: map[string]bool{}}
	replaced, err := a.replace(book)
	if err != nil {
		return c, false, err
	}
	changed := map[string]bool{}
	for old, cell := range replaced {
		c.Signers[old], changed[cell] = true, true
	}
	for _, cell := range a.policy.Cells {
		revoked := book.RevokedIn(cell.Name, now)
		for _, key := range revoked {
			if !slices.Contains(a.enforced[cell.Name], key) {
				c.Users[key] = true
			}
		}
		if !changed[cell.Name] && slices.Equal(revoked, a.enforced[cell.Name]) {
			continue
		}
		token, err := a.accountJWT(cell, a.roles[cell.Name], a.policy.Revoked)
		if err != nil {
			return c, false, fmt.Errorf("make account of cell %s: %w", cell.Name, err)
		}
		a.jwts[cell.Name] = token
		c.Accounts[a.AccountKey(cell.Name)] = token
	}
	if len(replaced) > 0 {
		if a.holders, err = a.holdersOf(a.roles); err != nil {
			return c, false, err
		}
	}
	a.due = book.Next(now)
	return c, len(c.Accounts) > 0 || book.Waits(), nil
}

// replace takes new signing keys where the register says so, and returns the
// public keys of the old ones with their cells. What is on disk is either all
// of it or nothing.
func (a *Authority) replace(book *register.Book) (old map[string]string, err error) {
	entries := book.ReplacedSince(a.desk.anchor().Seq)
	if len(entries) == 0 {
		return nil, nil
	}
	var names []string
	old = map[string]string{}
	for _, e := range entries {
		if key := a.ring.signerKey(e.Cell, e.Principal); key != "" {
			old[key] = e.Cell
			names = append(names, "sign/"+e.Cell+"/"+e.Principal)
		}
	}
	return old, a.ring.settle(names, book.Mark())
}

// Enforced writes into the register that the server has learnt of a change:
// whoever revoked waits for it. Other writers are waited for without holding
// up whoever shows a token.
func (a *Authority) Enforced(upto uint64, dropped int, took time.Duration) error {
	a.pen.Lock()
	defer a.pen.Unlock()
	reg, err := register.Open(a.ring.dir, register.Mark{})
	if err != nil {
		return err
	}
	_, err = reg.Append(func(*register.Book) ([]register.Entry, error) {
		return []register.Entry{{At: a.now().UTC(), Event: register.Effective, Upto: upto, Dropped: dropped, Micros: took.Microseconds()}}, nil
	})
	return err
}

// revokedNow lists the users of a cell that the register has revoked, and
// remembers what its account was made with.
func (a *Authority) revokedNow(cell string) []string {
	if a.desk == nil {
		return nil
	}
	out := a.desk.reg.Book().RevokedIn(cell, a.now())
	if a.enforced == nil {
		a.enforced = map[string][]string{}
	}
	a.enforced[cell] = out
	return out
}
