package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
)

func (a *app) credsRenew() *cobra.Command {
	var lifetime, within time.Duration
	var why account.Reason
	c := &cobra.Command{
		Use:   "renew FILE.creds...",
		Short: "Give credentials files a later end: the same keys, nothing to change at the client",
		Long: `Replaces each file as a whole with one of the same key and a later end. A client
that was given the file's name takes it at its next reconnection, at the latest
when the old end comes. Revoked, stopped and unlisted keys are not renewed.`,
		Example: `  watchfloor creds renew .watchfloor/creds/le/jackson-pd.creds
  watchfloor creds renew --within 720h .watchfloor/creds/*/*.creds     for a daily timer`,
		Args: named("at least one credentials file"),
		RunE: func(_ *cobra.Command, args []string) error { return a.renew(args, lifetime, within, why) },
	}
	c.Flags().DurationVar(&lifetime, "expires", 0, "lifetime from now (default: as creds issue)")
	c.Flags().DurationVar(&within, "within", 0, "leave alone what holds for longer than this")
	reasonFlags(c, &why, "note")
	return c
}

func (a *app) renew(files []string, lifetime, within time.Duration, why account.Reason) error {
	l, err := a.local()
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range files {
		end, err := l.renewFile(file, lifetime, within, why)
		if err != nil {
			errs = append(errs, failed("renew %s: %w", file, err))
			continue
		}
		if err := a.tellEnd(file, end); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func (a *app) tellEnd(file string, end time.Time) error {
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(map[string]string{"creds": file, "expires": stamp(end)})
	}
	_, err := fmt.Fprintf(a.out, "%s  ends %s\n", file, stamp(end))
	return err
}

// renewFile returns the end of a credentials file, after it was put off if it
// lies within a time.
func (l *local) renewFile(file string, lifetime, within time.Duration, why account.Reason) (time.Time, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}, err
	}
	if within > 0 {
		if end, err := account.EndOf(data); err == nil && time.Until(end) > within {
			return end, nil
		}
	}
	cred, err := l.issuer.Renew(data, lifetime, why)
	if err != nil {
		return time.Time{}, err
	}
	return cred.Expires, cred.Replace(file)
}

// turn is how credentials are rotated.
type turn struct {
	wish
	overlap  time.Duration
	signing  bool
	operator bool
	key      string
}

func (a *app) credsRotate() *cobra.Command {
	var t turn
	c := &cobra.Command{
		Use:   "rotate (--agency NAME | --reader NAME) --cell C [--overlap 24h] | --signing [--cell C] --note TEXT",
		Short: "Put a new key in the place of a credential, or of the keys that sign credentials",
		Long: `For an agency or reader: issues a credential with a new key in the place of its
file, and revokes the old key from the end of the overlap on. A client that was
given the file's name takes the new key at its next reconnection, at the latest
when the old one ends.

With --signing: replaces the keys that sign credentials, of all principals of
--cell (of every cell without it), or of the one named. Everything they have
signed ends at once; the list that is printed has to be issued again. The
broker's own parts sign in anew by themselves.

With --operator, while no broker runs: replaces the key that signs accounts. It
needs the operator's own key, operator.nk, which may lie offline. Credentials
hold on.`,
		Example: `  watchfloor creds rotate --agency jackson-pd --cell le
  watchfloor creds rotate --reader watch-noc --cell fused --overlap 1h
  watchfloor creds rotate --signing --cell le --note "yearly"
  watchfloor creds rotate --signing --agency jackson-pd --note "folder was copied"
  watchfloor creds rotate --operator --operator-key /media/safe/operator.nk`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case t.operator:
				return a.rotateOperator(t.key)
			case t.signing:
				return a.rotateSigning(c.Context(), t)
			}
			return a.rotate(c.Context(), t)
		},
	}
	c.Flags().StringVar(&t.agency, "agency", "", "agency whose key to replace")
	c.Flags().StringVar(&t.reader, "reader", "", "reader whose key to replace")
	c.Flags().StringVar(&t.cell, "cell", "", "cell")
	c.Flags().StringVar(&t.user, "user", "", "name among the agency's or reader's credentials (default: main)")
	c.Flags().StringVar(&t.out, "out", "", "folder of the file (default: creds/CELL beside the data)")
	c.Flags().DurationVar(&t.lifetime, "expires", 0, "lifetime of the new credential (default: as creds issue)")
	c.Flags().DurationVar(&t.overlap, "overlap", 24*time.Hour, "how long the old key still holds")
	c.Flags().BoolVar(&t.signing, "signing", false, "replace signing keys")
	c.Flags().BoolVar(&t.operator, "operator", false, "replace the operator's signing key")
	c.Flags().StringVar(&t.key, "operator-key", "", "with --operator: file of the operator's own key (default: operator.nk beside the others)")
	c.MarkFlagsMutuallyExclusive("signing", "operator")
	reasonFlags(c, &t.why, "note")
	return c
}

func (a *app) rotate(ctx context.Context, t turn) error {
	if (t.agency == "") == (t.reader == "") || t.cell == "" {
		return usage("name one of --agency and --reader, and --cell; or --signing")
	}
	if t.overlap < 0 || t.lifetime < 0 {
		return usage("--overlap and --expires: use a time ahead, like 24h")
	}
	l, err := a.local()
	if err != nil {
		return err
	}
	name, principal, err := l.principal(t.agency, t.reader, t.cell)
	if err != nil {
		return err
	}
	d, err := a.openDesk()
	if err != nil {
		return err
	}
	old, err := d.held(principal, t.cell, t.user)
	if err != nil {
		return err
	}
	cred, err := l.issuer.HandOut(account.Request{Principal: principal, Cell: t.cell, User: t.user, Lifetime: t.lifetime}, t.why)
	if err != nil {
		return issueError(name, t.cell, err)
	}
	if cred.URL, cred.TLS, err = l.reachedAt(wish{}); err != nil {
		return err
	}
	if err := a.place(l, t, name, cred); err != nil {
		return err
	}
	if t.why.Why == "" {
		t.why.Why = "rotated"
	}
	for _, key := range old {
		r, err := d.Revoke(account.Selection{Key: key}, time.Now().Add(t.overlap), t.why)
		if errors.Is(err, account.ErrNothing) {
			continue // it ends before the overlap does: rotated twice, or nearly over
		}
		if err == nil {
			_, err = d.await(ctx, r, time.Now())
		}
		if err != nil {
			return fmt.Errorf("the new credential is issued, the old one %s holds on: %w", key, err)
		}
		if a.output == "table" {
			fmt.Fprintf(a.out, "old key       %s ends %s\n", key, stamp(time.Now().Add(t.overlap)))
		}
	}
	return nil
}

// held lists the keys that sign in now for a principal's user.
func (d *desk) held(who account.Principal, cell, user string) ([]string, error) {
	if user == "" {
		user = "main"
	}
	list, err := d.List()
	if err != nil {
		return nil, failed("%w", err)
	}
	var out []string
	for _, c := range list {
		if c.Principal == who.String() && c.Cell == cell && c.User == user && !c.Token() && c.State.Holds() {
			out = append(out, c.Key)
		}
	}
	return out, nil
}

// place writes a rotated credential where the old one lies, or anew.
func (a *app) place(l *local, t turn, name string, cred account.Credential) error {
	if t.user != "" {
		name += "-" + t.user
	}
	dir := t.out
	if dir == "" {
		dir = filepath.Join(l.dir, "creds", t.cell)
	}
	file := filepath.Join(dir, name+".creds")
	if _, err := os.Stat(file); err != nil {
		return a.writeCredential(cred, dir, name)
	}
	if err := cred.Replace(file); err != nil {
		return failed("%w", err)
	}
	return a.tellEnd(file, cred.Expires)
}

func (a *app) rotateSigning(ctx context.Context, t turn) error {
	if strings.TrimSpace(t.why.Why) == "" {
		return usage("say why with --note: it stands in the register")
	}
	s := selected{agency: t.agency, reader: t.reader, cell: t.cell}
	principal, err := s.principal()
	if err != nil {
		return err
	}
	d, err := a.openDesk()
	if err != nil {
		return err
	}
	began := time.Now()
	r, err := d.Replace(principal, t.cell, t.why)
	if err != nil {
		return revokeError(err)
	}
	out, err := d.await(ctx, r, began)
	if err != nil {
		return err
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(out)
	}
	fmt.Fprintf(a.out, "%s replaced, %s\n", count(len(r.Replaced), "signing key"), out.line())
	for _, c := range r.Revoked {
		fmt.Fprintf(a.out, "issue again  %s in %s, user %s\n", c.Principal, c.Cell, c.User)
	}
	return nil
}

func (a *app) rotateOperator(key string) error {
	err := account.RotateOperator(a.keysDir(), a.dataDir(), key)
	switch {
	case errors.Is(err, account.ErrHeld):
		return unreachable("%w: stop it first", err)
	case err != nil:
		return usage("rotate the operator's signing key: %w", err)
	}
	_, err = fmt.Fprintln(a.out, "the operator's signing key is replaced: it holds from the next start on")
	return err
}
