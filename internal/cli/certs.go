package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

const (
	// expiresSoon is when a certificate is worth a word.
	expiresSoon = 7 * 24 * time.Hour
	// authorityFor is how long the authority of a trial lasts.
	authorityFor = 365 * 24 * time.Hour
)

func (a *app) certs() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "certs",
		Short: "Make certificates for a trial, and see when certificates end",
		Example: `  watchfloor certs make --host broker.example.org --agency jackson-pd
  watchfloor certs show .watchfloor/certs/*.pem`,
	})
	c.AddCommand(a.certsMake(), a.certsShow())
	return c
}

// making is what certificates are made for.
type making struct {
	out             string
	hosts, agencies []string
	days            int
	renew           bool
}

func (a *app) certsMake() *cobra.Command {
	var m making
	c := &cobra.Command{
		Use:   "make",
		Short: "Make an authority, the server's certificate and those of agencies, for a trial",
		Long: `Makes an authority of its own, a certificate for the broker's listeners and one
for each agency, so that TLS can be tried in a minute. What is there already is
kept; --renew makes the server's and the named agencies' anew. They last 30 days,
the authority a year; a running broker takes renewed files by itself.

The authority's key lies beside them: whoever has it can be everybody. A site
with a public key infrastructure uses that instead: a server's certificate with
the names that others connect to, and for each agency a client's certificate of
which one name (DNS, mail or URI) is the agency's in the policy: its own, or
those under "certificates".`,
		Example: `  watchfloor certs make --host broker.example.org --agency jackson-pd --agency hinds-so
  watchfloor up --listen 0.0.0.0:4443 --http-listen 0.0.0.0:8443 --tls-cert .watchfloor/certs/server.pem \
    --tls-key .watchfloor/certs/server.key --tls-client-ca .watchfloor/certs/ca.pem
  watchfloor creds issue --agency jackson-pd --cell le --tls-ca .watchfloor/certs/ca.pem \
    --tls-cert .watchfloor/certs/jackson-pd.pem --tls-key .watchfloor/certs/jackson-pd.key
  watchfloor publish --as jackson-pd --context .watchfloor/creds/le/jackson-pd.json report.json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.makeCerts(m) },
	}
	c.Flags().StringVar(&m.out, "out", "", "folder to write to (default: certs beside the data)")
	c.Flags().StringSliceVar(&m.hosts, "host", nil, "names and addresses of the broker (default: this machine's name); localhost and 127.0.0.1 are added")
	c.Flags().StringSliceVar(&m.agencies, "agency", nil, "agencies, and readers of whom the policy demands one, to make a certificate for")
	c.Flags().IntVar(&m.days, "days", 30, "lifetime in days, at most the authority's")
	c.Flags().BoolVar(&m.renew, "renew", false, "replace certificates that are there")
	return c
}

func (a *app) makeCerts(m making) error {
	if m.days < 1 || m.days > 365 {
		return usage("--days %d: use 1 to 365", m.days)
	}
	for _, n := range m.agencies {
		if !subject.Word(n) {
			return usage("--agency %q: use the name that the policy gives it", n)
		}
	}
	if m.out == "" {
		m.out = filepath.Join(a.dir, "certs")
	}
	if len(m.hosts) == 0 {
		name, err := os.Hostname()
		if err != nil {
			return usage("--host: this machine does not know its name: %w", err)
		}
		m.hosts = []string{name}
	}
	if err := ensureDirs(m.out); err != nil {
		return usage("%w: name a folder you may write to with --out", err)
	}
	now := time.Now()
	ca, err := transport.OpenAuthority(m.out, now, authorityFor)
	if err != nil {
		return failed("%w", err)
	}
	until := now.Add(time.Duration(m.days) * 24 * time.Hour)
	leaves := []transport.Leaf{{Name: "server", Hosts: append(m.hosts, "localhost", "127.0.0.1"), Server: true, From: now, Until: until}}
	for _, n := range m.agencies {
		leaves = append(leaves, transport.Leaf{Name: n, Client: true, From: now, Until: until})
	}
	files := []string{filepath.Join(m.out, transport.AuthorityCert)}
	for _, l := range leaves {
		f, err := m.leaf(ca, l)
		if err != nil {
			return failed("%w", err)
		}
		files = append(files, f.Cert)
	}
	return a.showCerts(files, 0)
}

// leaf makes a certificate unless it is there.
func (m making) leaf(ca *transport.Authority, l transport.Leaf) (transport.Files, error) {
	base := filepath.Join(m.out, l.Name)
	f := transport.Files{Cert: base + ".pem", Key: base + ".key"}
	_, err := os.Stat(f.Cert)
	switch {
	case err == nil && !m.renew:
		return f, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return f, err
	}
	next := transport.Files{Cert: f.Cert + ".new", Key: f.Key + ".new"}
	for _, path := range []string{next.Cert, next.Key} { // left by a run that was ended
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	if err := ca.Issue(next, l); err != nil {
		return f, err
	}
	return f, errors.Join(os.Rename(next.Key, f.Key), os.Rename(next.Cert, f.Cert))
}

func (a *app) certsShow() *cobra.Command {
	var within time.Duration
	c := &cobra.Command{
		Use:   "show [FILE...]",
		Short: "See when certificates end; exit 1 when one has, or will soon",
		Example: `  watchfloor certs show                          those of the running broker
  watchfloor certs show --within 720h /etc/watchfloor/tls/*.pem`,
		RunE: func(_ *cobra.Command, files []string) error {
			if len(files) > 0 {
				return a.showCerts(files, within)
			}
			l, err := a.local()
			if err != nil {
				return err
			}
			f := l.run.Certificates
			if f == nil {
				return usage("the broker of %s listens on loopback alone and has no certificates: name files", l.dir)
			}
			if files = []string{f.Cert}; f.CA != "" {
				files = append(files, f.CA)
			}
			return a.showCerts(files, within)
		},
	}
	c.Flags().DurationVar(&within, "within", expiresSoon, "how soon is too soon")
	return c
}

func (a *app) showCerts(files []string, within time.Duration) error {
	var all []transport.Expiry
	for _, path := range files {
		found, err := transport.Files{Cert: path}.Expiries("")
		if err != nil {
			return usage("%w", err)
		}
		all = append(all, found...)
	}
	soon := 0
	for _, e := range all {
		if time.Until(e.NotAfter) <= within {
			soon++
		}
	}
	if err := a.printCerts(all); err != nil {
		return err
	}
	if soon > 0 {
		return failed("%d of %d certificates have ended or end within %s: renew them", soon, len(all), within)
	}
	return nil
}

func (a *app) printCerts(all []transport.Expiry) error {
	if a.output != "table" {
		for _, e := range all {
			if err := json.NewEncoder(a.out).Encode(e); err != nil {
				return err
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "FILE\tWHOSE\tENDS\tLEFT")
	for _, e := range all {
		left := time.Until(e.NotAfter)
		word := fmt.Sprintf("%d days", int(left.Hours()/24))
		if left <= 0 {
			word = "none"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", e.File, e.Subject, e.NotAfter.UTC().Format(time.RFC3339), word)
	}
	return tw.Flush()
}
