package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// runFile is what a running local broker leaves in its folder, so that the
// other commands find it.
type runFile struct {
	URL    string `json:"url"`
	Policy string `json:"policy,omitempty"`
	PID    int    `json:"pid"`
	// Status that the client commands show when none is asked for.
	Status string `json:"status"`
	// Pages is the address of each cell's page, without a token.
	Pages map[string]string `json:"pages"`
}

const runFileName = "run.json"

func (r *runFile) write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, runFileName), append(data, '\n'), 0o600)
}

// local is a broker on this machine whose keys this user holds.
type local struct {
	dir    string
	run    runFile
	policy *policy.Policy
	issuer *account.Authority
}

// demoDir is where demo keeps its own broker, apart from one for real traffic.
func demoDir(dir string) string { return filepath.Join(dir, "demo") }

// local finds the running broker of --dir, or the demo's below it.
func (a *app) local() (*local, error) {
	for _, dir := range []string{a.dir, demoDir(a.dir)} {
		data, err := os.ReadFile(filepath.Join(dir, runFileName))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, unreachable("find the local broker: %w", err)
		}
		l := &local{dir: dir}
		if err := json.Unmarshal(data, &l.run); err != nil {
			return nil, unreachable("read %s: %w", filepath.Join(dir, runFileName), err)
		}
		if l.policy, err = loadPolicy(l.run.Policy); err != nil {
			return nil, err
		}
		if l.issuer, err = account.OpenIssuer(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), l.policy, time.Now); err != nil {
			return nil, unreachable("open the keys of the local broker: %w", err)
		}
		return l, nil
	}
	return nil, unreachable("no broker runs in %s: start one with \"watchfloor up\" or \"watchfloor demo\", name its folder with --dir, or a remote one with --url and --creds", a.dir)
}

// remote is how a command reaches a broker: the flags, else the local one.
type remote struct {
	url, creds, context, user string
}

func (r *remote) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.url, "url", "", "address of a remote broker, nats://host:port (default: the local one)")
	c.Flags().StringVar(&r.creds, "creds", "", "credentials file for it, as issued by creds issue")
	c.Flags().StringVar(&r.context, "context", "", "context file issued with the credentials: address, credentials and inbox prefix in one")
}

// connectTimeout bounds how long a command waits for its broker.
const connectTimeout = 5 * time.Second

// reader connects to read a cell. status is the one to show by default.
func (a *app) reader(ctx context.Context, r remote, cell string) (c *consumers.Client, status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	opts := []consumers.Option{consumers.WithCell(cell), consumers.WithLogger(a.logger())}
	url := r.url
	status = subject.StatusToken(wf.Status_STATUS_ACTUAL)
	switch {
	case r.context != "":
		opts = append(opts, consumers.WithContextFile(r.context))
	case r.creds != "":
		if url == "" {
			return nil, "", usage("--creds needs --url too")
		}
		opts = append(opts, consumers.WithCredentials(r.creds))
	default:
		l, err := a.local()
		if err != nil {
			return nil, "", err
		}
		cred, err := l.readerCredential(r.user, cell)
		if err != nil {
			return nil, "", err
		}
		url, status = l.run.URL, l.run.Status
		opts = append(opts, consumers.WithUser(cred.JWT, cred.Seed), consumers.WithInboxPrefix(cred.InboxPrefix))
	}
	if c, err = consumers.Connect(ctx, url, opts...); err != nil {
		return nil, "", unreachable("connect: %w", err)
	}
	return c, status, nil
}

// readerCredential is one of the named reader, or of the first that is cleared for the cell.
func (l *local) readerCredential(name, cell string) (account.Credential, error) {
	if _, ok := l.policy.Cell(cell); !ok {
		return account.Credential{}, usage("unknown cell %q: the policy has %v", cell, l.policy.CellNames())
	}
	for _, r := range l.policy.Readers {
		if (name == "" || r.Name == name) && l.policy.Cleared(r.Name, cell) {
			return l.issuer.Issue(account.Request{Principal: account.Reader(r.Name), Cell: cell, User: "cli", Lifetime: 24 * time.Hour})
		}
	}
	if name != "" {
		return account.Credential{}, failed("reader %q is not cleared for cell %s", name, cell)
	}
	return account.Credential{}, failed("the policy clears no reader for cell %s: add one under readers", cell)
}

// sender connects to publish as an agency.
func (a *app) sender(ctx context.Context, r remote, agency, cell string) (*producers.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	opts := []producers.Option{producers.WithCell(cell)}
	url := r.url
	if r.creds != "" {
		if url == "" {
			return nil, usage("--creds needs --url too")
		}
		opts = append(opts, producers.WithCredentials(r.creds))
	} else {
		l, err := a.local()
		if err != nil {
			return nil, err
		}
		cred, err := l.issuer.Issue(account.Request{Principal: account.Agency(agency), Cell: cell, User: "cli", Lifetime: 24 * time.Hour})
		if err != nil {
			return nil, failed("credential for %s in %s: %w", agency, cell, err)
		}
		url = l.run.URL
		opts = append(opts, producers.WithJWT(cred.JWT, cred.Seed))
	}
	c, err := producers.Connect(ctx, url, agency, opts...)
	if err != nil {
		return nil, unreachable("connect: %w", err)
	}
	return c, nil
}

func (a *app) parseStatus(flag, fallback string) (wf.Status, error) {
	if flag == "" {
		flag = fallback
	}
	s, err := subject.ParseStatus(flag)
	if err != nil {
		return 0, usage("--status: %w", err)
	}
	return s, nil
}

func ensureDirs(dirs ...string) error {
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	return nil
}
