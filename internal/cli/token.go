package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
)

// ask is what a token is asked for.
type ask struct {
	account.TokenRequest
	page bool
	why  account.Reason
}

func (a *app) credsToken() *cobra.Command {
	var q ask
	c := &cobra.Command{
		Use:   "token --reader NAME --cell C",
		Short: "Print a token for the HTTP API and the page of a cell",
		Long: `Prints a token that says who reads, in which cell, for which purpose and until
when. It holds at the listener of that cell alone, for as long as the policy
clears the reader, and never without end: a person's for 8 hours, at most 12; a
service's for a day, at most 30. The policy may allow less (http:). Whoever has
it reads as that reader: it does not belong into an address, a log or a mail.`,
		Example: `  watchfloor creds token --reader watch-le --cell le --page     the address of the page, with a token
  curl -H "Authorization: Bearer $(watchfloor creds token --reader watch-le --cell le)" \
    http://127.0.0.1:8084/v1/snapshot
  watchfloor creds token --reader feed-le --cell le --expires 720h -o json     with its id, to revoke it by
  watchfloor creds token revoke --id 5f0c2a9be1d47783`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.token(q) },
	}
	c.Flags().StringVar(&q.Reader, "reader", "", "reader to issue for (required)")
	c.Flags().StringVar(&q.Cell, "cell", "", "cell (required)")
	c.Flags().StringVar(&q.Purpose, "purpose", "", "one of the reader's purposes (default: the first)")
	c.Flags().DurationVar(&q.Lifetime, "expires", 0, "lifetime (default: 8h of a person, 24h of a service, or what the policy allows)")
	c.Flags().BoolVar(&q.page, "page", false, "print the address of the cell's page with the token in it")
	reasonFlags(c, &q.why, "note")
	_ = c.MarkFlagRequired("reader")
	_ = c.MarkFlagRequired("cell")
	c.AddCommand(a.tokenRevoke())
	return c
}

// issuedToken is a token with what it says, for -o json.
type issuedToken struct {
	Text string `json:"token"`
	Page string `json:"page,omitempty"`
	account.Token
}

func (a *app) token(q ask) error {
	l, err := a.local()
	if err != nil {
		return err
	}
	if _, _, err := l.principal("", q.Reader, q.Cell); err != nil {
		return err
	}
	r, _ := l.policy.Reader(q.Reader)
	longest := l.policy.LongestToken(r.Type)
	switch {
	case q.Lifetime == 0:
		q.Lifetime = l.policy.UsualToken(r.Type)
	case q.Lifetime < time.Second || q.Lifetime > longest:
		return usage("--expires %s: a token of a %s holds for at most %s: use a time between, like 1h", q.Lifetime, r.Type, longest)
	}
	if q.Purpose != "" && !l.policy.ReadsFor(q.Reader, q.Purpose) {
		return usage("--purpose %q: reader %s reads for: %s", q.Purpose, q.Reader, strings.Join(r.Purposes, ", "))
	}
	text, t, err := l.issuer.HandOutToken(q.TokenRequest, q.why)
	if err != nil {
		return failed("issue a token for %s in %s: %w", q.Reader, q.Cell, err)
	}
	page := ""
	if q.page {
		page = l.run.Pages[q.Cell] + "/#token=" + text
	}
	switch {
	case a.output != "table":
		return json.NewEncoder(a.out).Encode(issuedToken{text, page, t})
	case q.page:
		text = page
	}
	fmt.Fprintln(a.out, text)
	if isTerminal(a.err) {
		fmt.Fprintf(a.err, "token %s of %s for %s, until %s\n", t.ID, t.Reader, t.Purpose, t.Expires.Local().Format(time.RFC1123))
	}
	return nil
}

func (a *app) tokenRevoke() *cobra.Command {
	var id, reader, cell string
	c := &cobra.Command{
		Use:   "revoke (--id ID | --reader NAME | --cell C)",
		Short: "End one token, or all that a reader or a cell has until now",
		Long: `Ends tokens within a second at every listener of the broker of --dir, with the
event streams that they opened. The id stands in "creds token -o json" and in
the record of what was read. --reader and --cell end what was issued until now;
what is issued later holds, so take a reader that must not come back out of the
policy.`,
		Example: `  watchfloor creds token revoke --id 5f0c2a9be1d47783
  watchfloor creds token revoke --reader watch-le
  watchfloor creds token revoke --cell le`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.revokeToken(id, reader, cell) },
	}
	c.Flags().StringVar(&id, "id", "", "id of a token")
	c.Flags().StringVar(&reader, "reader", "", "reader whose tokens end")
	c.Flags().StringVar(&cell, "cell", "", "cell whose tokens end, of every reader")
	c.MarkFlagsMutuallyExclusive("id", "reader", "cell")
	c.MarkFlagsOneRequired("id", "reader", "cell")
	return c
}

func (a *app) revokeToken(id, reader, cell string) error {
	l, err := a.local()
	if err != nil {
		return err
	}
	if _, ok := l.policy.Cell(cell); cell != "" && !ok {
		return usage("unknown cell %q: the policy has %s", cell, strings.Join(l.policy.CellNames(), ", "))
	}
	what := "tokens of cell " + cell
	switch {
	case id != "":
		what, err = "token "+id, l.issuer.RevokeToken(id)
	case reader != "": // who has left the policy already is named all the same
		what, err = "tokens of "+reader, l.issuer.RevokeTokens(reader, "")
	default:
		err = l.issuer.RevokeTokens("", cell)
	}
	if err != nil {
		return usage("revoke: %w", err)
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(map[string]string{"revoked": what})
	}
	_, err = fmt.Fprintf(a.out, "revoked: %s\n", what)
	return err
}
