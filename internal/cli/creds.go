package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
)

func (a *app) creds() *cobra.Command {
	c := &cobra.Command{
		Use:   "creds",
		Short: "Issue credentials for agencies, readers and their pages",
	}
	c.AddCommand(a.credsIssue(), a.credsToken())
	return c
}

func (a *app) credsIssue() *cobra.Command {
	var agency, reader, cell, user, out string
	var lifetime time.Duration
	c := &cobra.Command{
		Use:   "issue (--agency NAME | --reader NAME) --cell C",
		Short: "Write a credentials file, and a context of the nats command line with the inbox prefix set",
		Long: `Writes NAME.creds and NAME.json. The credential allows exactly what the policy
says: an agency publishes under its own name and is answered in its own inbox;
a reader reads its cell's picture and the feeds provisioned for it. A stock
client needs the credentials file and the inbox prefix that is printed.`,
		Example: `  watchfloor creds issue --agency jackson-pd --cell le
  watchfloor creds issue --reader watch-noc --cell fused --out /etc/watchfloor --expires 720h`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if (agency == "") == (reader == "") {
				return usage("name one of --agency and --reader")
			}
			l, err := a.local()
			if err != nil {
				return err
			}
			name, principal := agency, account.Agency(agency)
			if reader != "" {
				name, principal = reader, account.Reader(reader)
			}
			cred, err := l.issuer.Issue(account.Request{Principal: principal, Cell: cell, User: user, Lifetime: lifetime})
			if err != nil {
				return failed("issue for %s in %s: %w", name, cell, err)
			}
			cred.URL = l.run.URL
			if out == "" {
				out = filepath.Join(l.dir, "creds", cell)
			}
			if err := ensureDirs(out); err != nil {
				return err
			}
			file, context, err := cred.WriteFiles(out, name)
			if err != nil {
				return failed("write credentials: %w", err)
			}
			if a.output != "table" {
				return json.NewEncoder(a.out).Encode(map[string]string{"creds": file, "context": context, "inbox_prefix": cred.InboxPrefix, "url": cred.URL})
			}
			fmt.Fprintf(a.out, "credentials   %s\ncontext       %s\ninbox prefix  %s\naddress       %s\n", file, context, cred.InboxPrefix, cred.URL)
			return nil
		},
	}
	c.Flags().StringVar(&agency, "agency", "", "agency to issue for")
	c.Flags().StringVar(&reader, "reader", "", "reader to issue for")
	c.Flags().StringVar(&cell, "cell", "", "cell (required)")
	c.Flags().StringVar(&user, "user", "", "name among the principal's credentials (default: main)")
	c.Flags().StringVar(&out, "out", "", "folder to write to (default: creds/CELL beside the data)")
	c.Flags().DurationVar(&lifetime, "expires", 0, "lifetime, e.g. 720h (default: until revoked)")
	_ = c.MarkFlagRequired("cell")
	return c
}

func (a *app) credsToken() *cobra.Command {
	var reader, cell string
	var lifetime time.Duration
	c := &cobra.Command{
		Use:     "token --reader NAME --cell C",
		Short:   "Print a token for the HTTP API and the page of a cell",
		Example: `  curl -H "Authorization: Bearer $(watchfloor creds token --reader watch-le --cell le)" localhost:8081/v1/snapshot`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := a.local()
			if err != nil {
				return err
			}
			token, _, err := l.issuer.IssueToken(reader, cell, lifetime)
			if err != nil {
				return failed("issue a token for %s in %s: %w", reader, cell, err)
			}
			fmt.Fprintln(a.out, token)
			return nil
		},
	}
	c.Flags().StringVar(&reader, "reader", "", "reader to issue for (required)")
	c.Flags().StringVar(&cell, "cell", "", "cell (required)")
	c.Flags().DurationVar(&lifetime, "expires", 12*time.Hour, "lifetime")
	_ = c.MarkFlagRequired("reader")
	_ = c.MarkFlagRequired("cell")
	return c
}
