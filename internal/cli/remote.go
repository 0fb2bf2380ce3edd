package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/consumers"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// remote is how a command reaches a broker: the flags, else the local one.
type remote struct {
	url, creds, context, user string
	// inbox prefix that the context names.
	inbox string
	tls   transport.Files
}

func (r *remote) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.url, "url", "", "address of a remote broker, tls://host:port, with --creds (default: the local one)")
	c.Flags().StringVar(&r.creds, "creds", "", "credentials file for it, as issued by creds issue")
	c.Flags().StringVar(&r.context, "context", "", "context file issued with the credentials: address, credentials and inbox prefix in one")
	r.tlsFlags(c)
}

func (r *remote) tlsFlags(c *cobra.Command) {
	c.Flags().StringVar(&r.tls.CA, "tls-ca", "", "authority of the remote broker's certificate, PEM (default: the context's, else the system's)")
	c.Flags().StringVar(&r.tls.Cert, "tls-cert", "", "certificate to show it, PEM (default: the context's)")
	c.Flags().StringVar(&r.tls.Key, "tls-key", "", "key of --tls-cert")
}

// local says that no flag names a remote broker.
func (r *remote) local() bool { return r.url == "" && r.creds == "" && r.context == "" }

// resolve checks the flags and reads the files they name: a half-named remote
// broker never falls back to the local one.
func (r *remote) resolve() error {
	switch {
	case r.local() && r.tls != (transport.Files{}):
		return usage("--tls-ca, --tls-cert and --tls-key go with --context or --url: the local broker is on loopback")
	case r.local():
		return nil
	case r.context != "" && (r.url != "" || r.creds != ""):
		return usage("--context names address and credentials already: leave out --url and --creds")
	case r.context != "":
		if err := r.readContext(); err != nil {
			return usage("--context %s: %w: name the .json file that creds issue wrote", r.context, err)
		}
	case r.creds == "":
		return usage("--url needs --creds too, or use --context alone")
	case r.url == "":
		return usage("--creds needs --url too, or use --context alone")
	}
	if _, err := os.Stat(r.creds); err != nil {
		return usage("read credentials: %w", err)
	}
	if _, err := transport.Client(r.tls); err != nil {
		return usage("%w", err)
	}
	return nil
}

func (r *remote) readContext() error {
	data, err := os.ReadFile(r.context)
	if err != nil {
		return err
	}
	var f struct {
		URL   string `json:"url"`
		Creds string `json:"creds"`
		Inbox string `json:"inbox_prefix"`
		transport.Files
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	if f.URL == "" || f.Creds == "" || f.Inbox == "" {
		return errors.New("it lacks url, creds or inbox_prefix")
	}
	r.url, r.creds, r.inbox, r.context = f.URL, f.Creds, f.Inbox, ""
	if r.tls.CA == "" {
		r.tls.CA = f.CA
	}
	if r.tls.Cert == "" && r.tls.Key == "" {
		r.tls.Cert, r.tls.Key = f.Cert, f.Key
	}
	return nil
}

// answeredAt is where a reader is answered: from the context, else from its
// name and that of the user in the credentials.
func (r *remote) answeredAt() (string, error) {
	if r.inbox != "" {
		return r.inbox, nil
	}
	if r.user == "" {
		return "", usage("--creds needs --reader NAME too, as issued, or use --context alone")
	}
	data, err := os.ReadFile(r.creds)
	if err != nil {
		return "", usage("read credentials: %w", err)
	}
	user, err := userOf(data)
	if err != nil {
		return "", usage("read credentials %s: %w: name the .creds file that creds issue wrote", r.creds, err)
	}
	return subject.InboxPrefix(r.user, user), nil
}

// userOf reads the name of the user of a credentials file.
func userOf(creds []byte) (string, error) {
	for line := range strings.Lines(string(creds)) {
		part := strings.Split(strings.TrimSpace(line), ".")
		if len(part) != 3 {
			continue
		}
		body, err := base64.RawURLEncoding.DecodeString(part[1])
		if err != nil {
			return "", fmt.Errorf("decode its token: %w", err)
		}
		var claims struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(body, &claims); err != nil {
			return "", fmt.Errorf("decode its token: %w", err)
		}
		return claims.Name, nil
	}
	return "", errors.New("it holds no token")
}

// connectTimeout bounds how long a command waits for its broker.
const connectTimeout = 5 * time.Second

// reader connects to read a cell. status is the one to show by default.
func (a *app) reader(ctx context.Context, r remote, cell string, more ...consumers.Option) (c *consumers.Client, status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := r.resolve(); err != nil {
		return nil, "", err
	}
	opts := append([]consumers.Option{consumers.WithCell(cell), consumers.WithLogger(a.logger())}, more...)
	status = subject.StatusToken(wf.Status_STATUS_ACTUAL)
	var l *local
	if r.local() {
		if l, err = a.local(); err != nil {
			return nil, "", err
		}
		auth, cred, err := l.signInReader(r.user, cell)
		if err != nil {
			return nil, "", err
		}
		r.url, status = l.run.URL, l.run.Status
		opts = append(opts, consumers.WithSignIn(auth...), consumers.WithInboxPrefix(cred.InboxPrefix))
	} else {
		inbox, err := r.answeredAt()
		if err != nil {
			return nil, "", err
		}
		opts = append(opts, consumers.WithCredentials(r.creds), consumers.WithInboxPrefix(inbox))
		if r.tls != (transport.Files{}) {
			opts = append(opts, consumers.WithTLSFiles(r.tls.CA, r.tls.Cert, r.tls.Key))
		}
	}
	if c, err = consumers.Connect(ctx, r.url, opts...); err != nil {
		return nil, "", noAnswer(err, l)
	}
	return c, status, nil
}

// sender connects to publish as an agency.
func (a *app) sender(ctx context.Context, r remote, agency, cell string) (*producers.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := r.resolve(); err != nil {
		return nil, err
	}
	opts := []producers.Option{producers.WithCell(cell)}
	var l *local
	if r.local() {
		var err error
		if l, err = a.local(); err != nil {
			return nil, err
		}
		cred, err := l.issuer.Issue(account.Request{Principal: account.Agency(agency), Cell: cell, User: "cli", Lifetime: 24 * time.Hour})
		if err != nil {
			return nil, failed("credential for %s in %s: %w", agency, cell, err)
		}
		r.url = l.run.URL
		opts = append(opts, producers.WithJWT(cred.JWT, cred.Seed))
	} else {
		opts = append(opts, producers.WithCredentials(r.creds))
		if r.tls != (transport.Files{}) {
			opts = append(opts, producers.WithTLSFiles(r.tls.CA, r.tls.Cert, r.tls.Key))
		}
	}
	c, err := producers.Connect(ctx, r.url, agency, opts...)
	if err != nil {
		return nil, noAnswer(fmt.Errorf("%s: %w", r.url, err), l)
	}
	return c, nil
}

// noAnswer says what to look at when a broker cannot be reached.
func noAnswer(err error, l *local) error {
	if l != nil {
		return unreachable("%w: the broker that %s/%s names no longer answers; start it again", err, l.dir, runFileName)
	}
	return unreachable("%w", err)
}
