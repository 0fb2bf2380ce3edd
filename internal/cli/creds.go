package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/register"
	"github.com/watchfloor/watchfloor/proto/transport"
)

func (a *app) creds() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "creds",
		Short: "Issue, list, renew, rotate and revoke credentials of agencies and readers",
		Example: `  watchfloor creds issue --agency jackson-pd --cell le     to publish
  watchfloor creds issue --reader watch-le --cell le       to read with a NATS client
  watchfloor creds token --reader watch-le --cell le       to read over HTTP
  watchfloor creds list                                    who holds what until when
  watchfloor creds renew .watchfloor/creds/le/*.creds      the same keys, a later end
  watchfloor creds rotate --agency jackson-pd --cell le    a new key; the old one ends in a day
  watchfloor creds revoke --agency jackson-pd --reason "laptop stolen"`,
	})
	c.AddCommand(a.credsIssue(), a.credsToken(), a.credsList(), a.credsRevoke(), a.credsRenew(), a.credsRotate())
	return c
}

// wish is what credentials are asked for.
type wish struct {
	agency, reader, cell, user, out string
	lifetime                        time.Duration
	why                             account.Reason
	tls                             transport.Files
	inside                          bool
}

func (a *app) credsIssue() *cobra.Command {
	var w wish
	c := &cobra.Command{
		Use:   "issue (--agency NAME | --reader NAME) --cell C",
		Short: "Write a credentials file, and a context of the nats command line with the inbox prefix set",
		Long: `Writes NAME.creds and NAME.json. The credential allows exactly what the policy
says: an agency publishes under its own name and is answered in its own inbox;
a reader reads its cell's picture and the feeds provisioned for it. A stock
client needs the credentials file and the inbox prefix that is printed; the
nats command line needs NAME.json in ~/.config/nats/context.

Every credential has an end and stands in the register, which "creds list"
shows. A client that was given the file's name reads it again whenever it
reconnects: renew the file before its end, and nothing is interrupted for
longer than a reconnection. A file that still signs in is not overwritten; one
that was revoked or has ended is replaced.`,
		Example: `  watchfloor creds issue --agency jackson-pd --cell le
  watchfloor creds issue --reader watch-noc --cell fused --out /etc/watchfloor --expires 720h`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.issue(w) },
	}
	c.Flags().StringVar(&w.agency, "agency", "", "agency to issue for")
	c.Flags().StringVar(&w.reader, "reader", "", "reader to issue for")
	c.Flags().StringVar(&w.cell, "cell", "", "cell (required)")
	c.Flags().StringVar(&w.user, "user", "", "name among the agency's or reader's credentials, part of the file name (default: main)")
	c.Flags().StringVar(&w.out, "out", "", "folder to write to (default: creds/CELL beside the data)")
	c.Flags().DurationVar(&w.lifetime, "expires", 0, "lifetime, e.g. 720h (default: 2160h, for a reader who is a person 168h)")
	reasonFlags(c, &w.why, "note")
	c.Flags().StringVar(&w.tls.CA, "tls-ca", "", "authority of the broker's certificate, to stand in the context")
	c.Flags().StringVar(&w.tls.Cert, "tls-cert", "", "certificate of the agency or reader, to stand in the context")
	c.Flags().StringVar(&w.tls.Key, "tls-key", "", "key of --tls-cert, to stand in the context")
	c.Flags().BoolVar(&w.inside, "loopback", false, "write the address for this machine, where the broker has one for others too")
	_ = c.MarkFlagRequired("cell")
	return c
}

func (a *app) issue(w wish) error {
	if (w.agency == "") == (w.reader == "") {
		return usage("name one of --agency and --reader")
	}
	if w.lifetime < 0 {
		return usage("--expires %s: use a time ahead, like 720h", w.lifetime)
	}
	l, err := a.local()
	if err != nil {
		return err
	}
	name, principal, err := l.principal(w.agency, w.reader, w.cell)
	if err != nil {
		return err
	}
	url, tls, err := l.reachedAt(w)
	if err != nil {
		return err
	}
	if w.user != "" {
		name += "-" + w.user
	}
	if w.out == "" {
		w.out = filepath.Join(l.dir, "creds", w.cell)
	}
	spent, err := a.vacant(w.out, name)
	if err != nil {
		return err
	}
	cred, err := l.issuer.HandOut(account.Request{Principal: principal, Cell: w.cell, User: w.user, Lifetime: w.lifetime}, w.why)
	if err != nil {
		return issueError(name, w.cell, err)
	}
	cred.URL, cred.TLS = url, tls
	if spent {
		if err := cleared(w.out, name); err != nil {
			return err
		}
	}
	return a.writeCredential(cred, w.out, name)
}

// reachedAt is where whom the credential is for connects: outside, if the
// broker listens there.
func (l *local) reachedAt(w wish) (url string, tls transport.Files, err error) {
	switch {
	case l.run.Outside != "" && !w.inside:
		return l.run.Outside, w.tls, nil
	case w.tls != (transport.Files{}):
		return "", tls, usage("--tls-ca, --tls-cert and --tls-key are for other machines: the broker of %s listens on loopback alone (start it with --listen), or --loopback is given", l.dir)
	}
	return l.run.URL, tls, nil
}

// credentialFiles are what issuing writes.
func credentialFiles(dir, name string) []string {
	return []string{filepath.Join(dir, name+".creds"), filepath.Join(dir, name+".json")}
}

// vacant refuses a place that is taken before anything is issued for it. One
// whose key was revoked, has ended or was stopped is spent, and may be replaced.
func (a *app) vacant(dir, name string) (spent bool, err error) {
	files := credentialFiles(dir, name)
	if _, err := os.Lstat(files[0]); err == nil {
		if spent, err = a.spent(files[0]); err != nil || !spent {
			return false, errors.Join(err, taken(dir, name))
		}
		return true, nil
	}
	if _, err := os.Lstat(files[1]); err == nil {
		return false, taken(dir, name)
	}
	return false, nil
}

// spent says whether the register knows the key of a file as one that signs in
// nowhere any more.
func (a *app) spent(file string) (bool, error) {
	key, err := keyOf(file)
	if err != nil {
		return false, err
	}
	d, err := a.openDesk()
	if err != nil {
		return false, err
	}
	list, err := d.List()
	if err != nil {
		return false, failed("%w", err)
	}
	i := slices.IndexFunc(list, func(l account.Listing) bool { return l.Key == key })
	return i >= 0 && !list[i].State.Holds(), nil
}

// cleared takes away files that vacant found to be spent.
func cleared(dir, name string) error {
	for _, file := range credentialFiles(dir, name) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed("take the old credentials away: %w", err)
		}
	}
	return nil
}

func taken(dir, name string) error {
	return usage("%s has credentials of %s already: renew or rotate them, take them away, or write others with --user or --out", dir, name)
}

// issueError says what to do about a refusal of the register.
func issueError(name, cell string, err error) error {
	switch {
	case errors.Is(err, account.ErrLifetime):
		return usage("--expires: %w", err)
	case errors.Is(err, register.ErrDamaged), errors.Is(err, register.ErrMissing):
		return failed("issue for %s in %s: %w: nothing is issued without it", name, cell, err)
	}
	return failed("issue for %s in %s: %w", name, cell, err)
}

func (a *app) writeCredential(cred account.Credential, dir, name string) error {
	if err := ensureDirs(dir); err != nil {
		return usage("%w: name a folder you may write to with --out", err)
	}
	file, context, err := cred.WriteFiles(dir, name)
	if errors.Is(err, fs.ErrExist) {
		return taken(dir, name)
	}
	if err != nil {
		return failed("%w", err)
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(map[string]string{"creds": file, "context": context, "inbox_prefix": cred.InboxPrefix, "url": cred.URL, "expires": zulu(cred.Expires)})
	}
	fmt.Fprintf(a.out, "credentials   %s\ncontext       %s\ninbox prefix  %s\naddress       %s\nends          %s\n", file, context, cred.InboxPrefix, cred.URL, zulu(cred.Expires))
	return nil
}

// principal checks by the policy whom credentials are wanted for.
func (l *local) principal(agency, reader, cell string) (name string, p account.Principal, err error) {
	if _, ok := l.policy.Cell(cell); !ok {
		return "", p, usage("unknown cell %q: the policy has %s", cell, strings.Join(l.policy.CellNames(), ", "))
	}
	if agency != "" {
		_, err := submitRoute(l.policy, agency, cell)
		return agency, account.Agency(agency), err
	}
	r, ok := l.policy.Reader(reader)
	switch {
	case !ok:
		return "", p, usage("unknown reader %q: \"watchfloor policy show\" lists them", reader)
	case !l.policy.Cleared(reader, cell):
		return "", p, usage("reader %q is not cleared for cell %s: the policy clears it for %s", reader, cell, strings.Join(r.Cells, ", "))
	}
	return reader, account.Reader(reader), nil
}
