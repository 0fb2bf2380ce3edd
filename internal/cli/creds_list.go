package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/register"
)

// desk is the register of credentials in the folder of a broker, which runs or
// does not.
type desk struct {
	*account.Desk
	dir     string
	running bool
}

// openDesk finds the register of --dir, or the demo's below it.
func (a *app) openDesk() (*desk, error) {
	dir := a.dir
	for _, d := range []string{a.dir, demoDir(a.dir)} {
		if _, err := os.Stat(filepath.Join(d, runFileName)); err == nil {
			dir = d
			break
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "keys")); err != nil {
		dir = demoDir(a.dir)
	}
	keys := filepath.Join(dir, "keys")
	if _, err := os.Stat(keys); err != nil {
		return nil, unreachable("no broker has run in %s: name its folder with --dir", a.dir)
	}
	d, err := account.OpenDesk(keys, filepath.Join(dir, "data"), time.Now)
	switch {
	case errors.Is(err, register.ErrMissing):
		return nil, unreachable("%w in %s: start the broker of this release once", err, keys)
	case err != nil:
		return nil, failed("open the register of credentials: %w", err)
	}
	running, err := account.Running(keys)
	if err != nil {
		return nil, unreachable("%w", err)
	}
	return &desk{d, dir, running}, nil
}

// reasonFlags asks who does something and why.
func reasonFlags(c *cobra.Command, r *account.Reason, why string) {
	c.Flags().StringVar(&r.By, "by", whoami(), "who does it, for the register")
	c.Flags().StringVar(&r.Why, why, "", "why, for the register")
}

func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// selected is the selection that flags and an argument make.
type selected struct{ agency, reader, cell, user, key string }

func (s *selected) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.agency, "agency", "", "of this agency")
	c.Flags().StringVar(&s.reader, "reader", "", "of this reader")
	c.Flags().StringVar(&s.cell, "cell", "", "in this cell")
	c.Flags().StringVar(&s.user, "user", "", "of this name among the agency's or reader's")
}

func (s *selected) principal() (string, error) {
	switch {
	case s.agency != "" && s.reader != "":
		return "", usage("name one of --agency and --reader")
	case s.agency != "":
		return account.Agency(s.agency).String(), nil
	case s.reader != "":
		return account.Reader(s.reader).String(), nil
	}
	return "", nil
}

func (s *selected) selection() (account.Selection, error) {
	p, err := s.principal()
	return account.Selection{Key: s.key, Principal: p, Cell: s.cell, User: s.user}, err
}

func (a *app) credsList() *cobra.Command {
	var s selected
	var all bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the credentials that were handed out, and what each is worth",
		Long: `Reads the register of credentials beside the keys: every credentials file and
every token for HTTP that was handed out, until when it holds, and what was
revoked by whom and why. A broker need not run.

live      signs in
expiring  signs in, and ends within two weeks or the last tenth of its life
ending    signs in, and is revoked from a time ahead (after "creds rotate")
expired, revoked
stopped   the key that signed it was replaced: issue it again`,
		Example: `  watchfloor creds list
  watchfloor creds list --all --agency jackson-pd     expired, revoked and stopped ones too
  watchfloor creds list -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.listCreds(s, all) },
	}
	s.flags(c)
	c.Flags().BoolVar(&all, "all", false, "also what no longer signs in")
	return c
}

// credentialView is a credential for -o json.
type credentialView struct {
	Key       string `json:"key"`
	Principal string `json:"principal"`
	Cell      string `json:"cell"`
	User      string `json:"user,omitempty"`
	State     string `json:"state"`
	Issued    string `json:"issued,omitempty"`
	Expires   string `json:"expires,omitempty"`
	Revoked   string `json:"revoked,omitempty"`
	By        string `json:"by,omitempty"`
	Why       string `json:"why,omitempty"`
}

func viewOf(l account.Listing) credentialView {
	return credentialView{
		Key: l.Key, Principal: l.Principal, Cell: l.Cell, User: l.User, State: string(l.State),
		Issued: stamp(l.Issued), Expires: stamp(l.Expires), Revoked: stamp(l.Revoked), By: l.By, Why: l.Why,
	}
}

// stamp is a time, empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return zulu(t)
}

func (a *app) listCreds(s selected, all bool) error {
	principal, err := s.principal()
	if err != nil {
		return err
	}
	d, err := a.openDesk()
	if err != nil {
		return err
	}
	list, err := d.List()
	if err != nil {
		return failed("%w", err)
	}
	var out []credentialView
	hidden := 0
	for _, l := range list {
		switch {
		case principal != "" && l.Principal != principal, s.cell != "" && l.Cell != s.cell, s.user != "" && l.User != s.user:
		case !all && !l.State.Holds():
			hidden++
		default:
			out = append(out, viewOf(l))
		}
	}
	return a.printCreds(out, hidden)
}

func (a *app) printCreds(list []credentialView, hidden int) error {
	switch a.output {
	case "json":
		if list == nil {
			list = []credentialView{}
		}
		return json.NewEncoder(a.out).Encode(list)
	case "jsonl":
		for _, v := range list {
			if err := json.NewEncoder(a.out).Encode(v); err != nil {
				return err
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "PRINCIPAL\tCELL\tUSER\tSTATE\tISSUED\tENDS\tKEY\tWHY")
	for _, v := range list {
		ends := v.Expires
		if v.Revoked != "" {
			ends = v.Revoked
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Principal, v.Cell, v.User, v.State, v.Issued, ends, v.Key, v.Why)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if hidden > 0 {
		fmt.Fprintf(a.out, "%s no longer sign in: --all lists them too\n", count(hidden, "other"))
	}
	return nil
}
