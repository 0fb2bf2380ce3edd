package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/broker/stream"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Prove compiles a policy as a broker would, with keys of its own, and proves
// what comes out: accounts, users, streams and consumers. The error is that it
// cannot be compiled; whether it leaks, the proof says.
func Prove(p *policy.Policy) (*proof.Proof, error) {
	w, err := Compile(p)
	if err != nil {
		return nil, err
	}
	return proof.Prove(w), nil
}

// Compile is what a broker would run for a policy, with keys that are kept
// nowhere.
func Compile(p *policy.Policy) (proof.World, error) {
	a, err := account.Draft(p, time.Now)
	if err != nil {
		return proof.World{}, fmt.Errorf("compile policy: %w", err)
	}
	w, err := world(a, p)
	if err != nil {
		return proof.World{}, fmt.Errorf("compile policy: %w", err)
	}
	for _, c := range p.Cells {
		for _, who := range a.Principals(c.Name) {
			cred, err := a.Issue(account.Request{Principal: who, Cell: c.Name})
			if err != nil {
				return proof.World{}, fmt.Errorf("compile policy: %w", err)
			}
			w.Users = append(w.Users, cred.JWT)
		}
	}
	for _, r := range p.Readers {
		for _, purpose := range r.Purposes {
			if w.Tokens, err = tokens(a, p, r, purpose, w.Tokens); err != nil {
				return proof.World{}, fmt.Errorf("compile policy: %w", err)
			}
		}
	}
	return w, nil
}

// tokens asks for a reader's token in every cell, also where none is due.
func tokens(a *account.Authority, p *policy.Policy, r policy.Reader, purpose string, out []string) ([]string, error) {
	for _, c := range p.Cells {
		text, _, err := a.IssueTokenFor(account.TokenRequest{Reader: r.Name, Cell: c.Name, Purpose: purpose, Lifetime: p.LongestToken(r.Type)})
		if errors.Is(err, account.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// proved refuses a policy that would leak, before anything of it is done: no
// key is made or retired for it.
func proved(p *policy.Policy) error {
	found, err := Prove(p)
	if err != nil {
		return err
	}
	return found.Err()
}

// check proves the accounts with the broker's own keys, as the server gets them.
func (b *Broker) check(p *policy.Policy) error {
	if b.cfg.Unlock.Fits() {
		return nil // a test's principal with all rights is a leak by design
	}
	w, err := world(b.authority, p)
	if err != nil {
		return err
	}
	return proof.Prove(w).Err()
}

func world(a *account.Authority, p *policy.Policy) (proof.World, error) {
	w := proof.World{System: a.SystemAccount(), Principals: principals(p)}
	accounts := a.Accounts()
	for _, key := range slices.Sorted(maps.Keys(accounts)) {
		w.Accounts = append(w.Accounts, accounts[key])
	}
	for _, c := range p.Cells {
		cell := proof.Cell{Name: c.Name, Account: a.AccountKey(c.Name), Label: c.Label}
		want := stream.Desired(p, c.Name, func(name string) subject.Inlet { return a.Inlet(c.Name, name) })
		for _, s := range want.Streams {
			data, err := json.Marshal(s)
			if err != nil {
				return w, fmt.Errorf("write stream %s: %w", s.Name, err)
			}
			cell.Streams = append(cell.Streams, data)
		}
		for _, s := range want.Consumers {
			data, err := json.Marshal(s)
			if err != nil {
				return w, fmt.Errorf("write consumer %s: %w", s.Name, err)
			}
			cell.Consumers = append(cell.Consumers, proof.Consumer{Stream: subject.Reports, Config: data})
		}
		w.Cells = append(w.Cells, cell)
		key, err := a.TokenKey(c.Name)
		if err != nil {
			return w, err
		}
		w.Doors = append(w.Doors, proof.Door{Cells: []string{c.Name}, Key: key})
	}
	return w, nil
}

// principals says who there is, in the words of the policy and not in those of
// the roles compiled from it.
func principals(p *policy.Policy) []proof.Principal {
	var out []proof.Principal
	for _, c := range p.Cells {
		own := []string{c.Name}
		out = append(out, proof.Principal{Kind: proof.Worker, Name: c.Name, Cells: own})
		for _, part := range []proof.Kind{proof.Guard, proof.API, proof.Provision, proof.Backup, proof.Doctor} {
			out = append(out, proof.Principal{Kind: part, Name: string(part), Cells: own, In: c.Name})
		}
	}
	for _, a := range p.Agencies {
		who := proof.Principal{Kind: proof.Agency, Name: a.Name}
		for _, g := range a.Grants {
			for _, status := range g.Statuses {
				for _, kind := range g.Kinds {
					who.Submits = append(who.Submits, proof.Submission{Cell: g.Cell, Status: status, Kind: kind})
				}
			}
		}
		out = append(out, who)
	}
	for _, r := range p.Readers {
		who := proof.Principal{Kind: proof.Reader, Name: r.Name, Cells: r.Cells}
		who.Tokens = proof.Bounds{Type: string(r.Type), Purposes: r.Purposes, Longest: p.LongestToken(r.Type)}
		for _, f := range r.Feeds {
			who.Feeds = append(who.Feeds, f.Name)
		}
		out = append(out, who)
	}
	return out
}
