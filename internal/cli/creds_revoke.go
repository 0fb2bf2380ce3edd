package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/register"
)

// inForce bounds how long a command waits for the running broker.
const inForce = 10 * time.Second

func (a *app) credsRevoke() *cobra.Command {
	var s selected
	var why account.Reason
	c := &cobra.Command{
		Use:   "revoke (KEY | FILE.creds | --agency NAME | --reader NAME) --reason TEXT",
		Short: "Take credentials back: live connections end at once, and they never sign in again",
		Long: `Writes the revocation into the register first, on disk, then waits until the
running broker says that it is in force and how many connections it has ended.
Where no broker runs it holds from the next start on.

KEY is a public key or a token's number as "creds list" shows it, or its first
eight characters; a credentials file stands for the key in it.

--agency or --reader, without --user, takes back everything of that principal,
in --cell or in every cell: it also replaces the signing key, so that what the
register does not list ends too, and every HTTP token issued so far. What it is
issued afterwards holds.`,
		Example: `  watchfloor creds revoke UDXU4RCS --reason "laptop stolen"
  watchfloor creds revoke lost.creds --reason "sent to the wrong address"
  watchfloor creds revoke --agency jackson-pd --cell le --reason "agreement ended"
  watchfloor creds revoke --agency jackson-pd --user cad --reason "system replaced"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(why.Why) == "" {
				return usage("say why with --reason: it stands in the register")
			}
			if err := s.named(args); err != nil {
				return err
			}
			return a.revoke(c.Context(), s, why)
		},
	}
	s.flags(c)
	reasonFlags(c, &why, "reason")
	return c
}

// named reads the argument: a key, or the file it stands in.
func (s *selected) named(args []string) error {
	if len(args) == 0 {
		if s.agency == "" && s.reader == "" {
			return usage("name a key, a credentials file, --agency or --reader")
		}
		return nil
	}
	s.key = args[0]
	if strings.HasSuffix(args[0], ".creds") {
		key, err := keyOf(args[0])
		if err != nil {
			return err
		}
		s.key = key
	}
	if len(s.key) < 8 {
		return usage("%q: give at least the first eight characters of a key", s.key)
	}
	return nil
}

// keyOf is the public key of a credentials file.
func keyOf(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", usage("read credentials: %w", err)
	}
	key, err := account.KeyOf(data)
	if err != nil {
		return "", usage("%s: %w: name the .creds file that creds issue wrote", path, err)
	}
	return key, nil
}

func (a *app) revoke(ctx context.Context, s selected, why account.Reason) error {
	d, err := a.openDesk()
	if err != nil {
		return err
	}
	sel, err := s.selection()
	if err != nil {
		return err
	}
	began := time.Now()
	var r account.Receipt
	if s.key == "" && s.user == "" {
		r, err = d.RevokeAll(sel.Principal, sel.Cell, why)
	} else {
		r, err = d.Revoke(sel, began, why)
	}
	if err != nil {
		return revokeError(err)
	}
	return a.tellRevoked(ctx, d, r, began)
}

func revokeError(err error) error {
	if errors.Is(err, account.ErrNothing) {
		return usage("%w that still holds: \"creds list\" shows what was handed out; a key that is not listed needs --agency or --reader and --cell too", err)
	}
	return failed("%w", err)
}

// enforced is how a change of the register took effect, for -o json.
type enforced struct {
	Revoked  []string `json:"revoked"`
	Replaced []string `json:"signing_keys_replaced,omitempty"`
	// InForce: a running broker enforces it; else it holds from the next start.
	InForce bool `json:"in_force"`
	Dropped int  `json:"connections_ended"`
	// Millis from the command's decision, before it is on disk, until the last
	// connection had ended; BrokerMillis the broker's part of it.
	Millis       float64 `json:"ms"`
	BrokerMillis float64 `json:"broker_ms"`
	Line         uint64  `json:"line"`
}

// await waits until the running broker enforces what was written.
func (d *desk) await(ctx context.Context, r account.Receipt, began time.Time) (enforced, error) {
	out := enforced{Line: r.Seq, Replaced: r.Replaced, Revoked: []string{}}
	for _, c := range r.Revoked {
		out.Revoked = append(out.Revoked, c.Key)
	}
	if !d.running {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, inForce)
	defer cancel()
	e, err := d.Await(ctx, r.Seq)
	if err != nil {
		return out, unreachable("it is in the register (line %d) and holds from the next start at the latest, but the running broker did not say that it is in force: %w: look at its log, or stop it", r.Seq, err)
	}
	out.InForce, out.Dropped = true, e.Dropped
	out.Millis = float64(time.Since(began).Microseconds()) / 1000
	out.BrokerMillis = float64(e.Micros) / 1000
	return out, nil
}

func (a *app) tellRevoked(ctx context.Context, d *desk, r account.Receipt, began time.Time) error {
	out, err := d.await(ctx, r, began)
	if err != nil {
		return err
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(out)
	}
	for _, c := range r.Revoked {
		fmt.Fprintf(a.out, "revoked  %s in %s  %s\n", c.Principal, c.Cell, c.Key)
	}
	for _, in := range r.Replaced {
		fmt.Fprintf(a.out, "signing key replaced  %s\n", in)
	}
	fmt.Fprintln(a.out, out.line())
	return a.tellOthers(d, r)
}

// tellOthers warns of what the same principals still sign in with: somebody who
// names one lost file may not know of the key before its rotation.
func (a *app) tellOthers(d *desk, r account.Receipt) error {
	list, err := d.List()
	if err != nil {
		return failed("%w", err)
	}
	others := map[string]int{}
	for _, l := range list {
		if l.State.Holds() && slices.ContainsFunc(r.Revoked, func(c register.Credential) bool { return c.Principal == l.Principal }) {
			others[l.Principal]++
		}
	}
	for _, who := range slices.Sorted(maps.Keys(others)) {
		kind, name, _ := strings.Cut(who, "/")
		fmt.Fprintf(a.out, "note: still in force: %s of %s (\"creds list --%s %s\"); \"creds revoke --%s %s\" ends all\n",
			count(others[who], "other credential"), who, kind, name, kind, name)
	}
	return nil
}

func (e enforced) line() string {
	if !e.InForce {
		return "no broker runs: it holds from the next start on"
	}
	return fmt.Sprintf("in force after %.1f ms, %s ended", e.Millis, count(e.Dropped, "live connection"))
}
