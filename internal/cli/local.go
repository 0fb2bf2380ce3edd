package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
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
	// Outside and OutsidePages are where other machines reach the same.
	Outside      string            `json:"outside,omitempty"`
	OutsidePages map[string]string `json:"outside_pages,omitempty"`
	// Certificates of the listeners for them.
	Certificates *transport.Files `json:"certificates,omitempty"`
}

// only is the one status that a demo shows; empty when all are shown.
func (r *runFile) only() string {
	if r.Status == subject.StatusToken(wf.Status_STATUS_EXERCISE) {
		return r.Status
	}
	return ""
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
	l, found, err := a.running()
	if err == nil && !found {
		err = unreachable("no broker runs in %s: start one with \"watchfloor up\" or \"watchfloor demo\", name its folder with --dir, or a remote one with --context, or --url and --creds", a.dir)
	}
	return l, err
}

// running is local for whoever can do without a broker.
func (a *app) running() (l *local, found bool, err error) {
	for _, dir := range []string{a.dir, demoDir(a.dir)} {
		data, err := os.ReadFile(filepath.Join(dir, runFileName))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, false, unreachable("find the local broker: %w", err)
		}
		l = &local{dir: dir}
		if err := json.Unmarshal(data, &l.run); err != nil {
			return nil, false, unreachable("read %s: %w", filepath.Join(dir, runFileName), err)
		}
		if l.policy, err = loadPolicy(l.run.Policy); err != nil {
			return nil, false, err
		}
		if l.issuer, err = account.OpenIssuer(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), l.policy, time.Now); err != nil {
			return nil, false, unreachable("open the keys of the local broker: %w", err)
		}
		return l, true, nil
	}
	return nil, false, nil
}

// commandLifetime is how long a credential holds that a command makes for
// itself and keeps in memory; it makes another when it reconnects.
const commandLifetime = time.Hour

// signIn is how this process signs in as a principal: with a new credential for
// every connection, by the keys as they are then.
func (l *local) signIn(q account.Request) ([]nats.Option, account.Credential, error) {
	return account.Renewing(func(string) (account.Credential, error) { return l.fresh(q) })
}

// fresh issues for this process, by the keys as they are now: the broker may
// have replaced them since the command began.
func (l *local) fresh(q account.Request) (account.Credential, error) {
	issuer, err := account.OpenIssuer(filepath.Join(l.dir, "keys"), filepath.Join(l.dir, "data"), l.policy, time.Now)
	if err != nil {
		return account.Credential{}, err
	}
	c, err := issuer.Issue(q)
	c.URL = l.run.URL
	return c, err
}

// signInReader is signIn as the named reader, or the first that is cleared for
// the cell.
func (l *local) signInReader(name, cell string) ([]nats.Option, account.Credential, error) {
	reader, err := l.cleared(name, cell)
	if err != nil {
		return nil, account.Credential{}, err
	}
	return l.signIn(account.Request{Principal: account.Reader(reader), Cell: cell, User: "cli", Lifetime: commandLifetime})
}

// cleared is the named reader, or the first that is cleared for the cell.
func (l *local) cleared(name, cell string) (string, error) {
	if _, ok := l.policy.Cell(cell); !ok {
		return "", usage("unknown cell %q: the policy has %s", cell, strings.Join(l.policy.CellNames(), ", "))
	}
	var cleared []string
	for _, r := range l.policy.Readers {
		if !l.policy.Cleared(r.Name, cell) {
			continue
		}
		if cleared = append(cleared, r.Name); name == "" || r.Name == name {
			return r.Name, nil
		}
	}
	if name != "" {
		return "", usage("reader %q is not cleared for cell %s: the policy clears %s", name, cell, strings.Join(cleared, ", "))
	}
	return "", failed("the policy clears no reader for cell %s: add one under readers", cell)
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
