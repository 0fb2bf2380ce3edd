package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
)

func (a *app) creds() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "creds",
		Short: "Issue credentials for agencies, readers and their pages",
		Example: `  watchfloor creds issue --agency jackson-pd --cell le     to publish
  watchfloor creds issue --reader watch-le --cell le       to read with a NATS client
  watchfloor creds token --reader watch-le --cell le       to read over HTTP`,
	})
	c.AddCommand(a.credsIssue(), a.credsToken())
	return c
}

// wish is what credentials are asked for.
type wish struct {
	agency, reader, cell, user, out string
	lifetime                        time.Duration
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
nats command line needs NAME.json in ~/.config/nats/context.`,
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
	c.Flags().DurationVar(&w.lifetime, "expires", 0, "lifetime, e.g. 720h (default: until revoked)")
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
	cred, err := l.issuer.Issue(account.Request{Principal: principal, Cell: w.cell, User: w.user, Lifetime: w.lifetime})
	if err != nil {
		return failed("issue for %s in %s: %w", name, w.cell, err)
	}
	cred.URL = l.run.URL
	if w.user != "" {
		name += "-" + w.user
	}
	if w.out == "" {
		w.out = filepath.Join(l.dir, "creds", w.cell)
	}
	return a.writeCredential(cred, w.out, name)
}

func (a *app) writeCredential(cred account.Credential, dir, name string) error {
	if err := ensureDirs(dir); err != nil {
		return usage("%w: name a folder you may write to with --out", err)
	}
	file, context, err := cred.WriteFiles(dir, name)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s has credentials of %s already: keep them, take them away, or write others with --user or --out", dir, name)
	}
	if err != nil {
		return failed("%w", err)
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(map[string]string{"creds": file, "context": context, "inbox_prefix": cred.InboxPrefix, "url": cred.URL})
	}
	fmt.Fprintf(a.out, "credentials   %s\ncontext       %s\ninbox prefix  %s\naddress       %s\n", file, context, cred.InboxPrefix, cred.URL)
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
