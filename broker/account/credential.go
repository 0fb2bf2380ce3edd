package account

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Credential lets one user sign in to one cell.
type Credential struct {
	Principal string
	Cell      string
	User      string
	// URL of the broker, filled in by whoever knows it.
	URL  string
	JWT  string
	Seed string
	// TLS files that the context file names, for an address outside.
	TLS transport.Files
	// InboxPrefix must be set on the connection: the user is answered nowhere else.
	InboxPrefix string
	// Expires is when it stops to hold; zero: never.
	Expires time.Time
}

// Request says which credential is wanted.
type Request struct {
	Principal Principal
	Cell      string
	// User names the credential among those of its principal; empty is "main".
	User string
	// Lifetime; zero is without end.
	Lifetime time.Duration
	// Seed of the user's key; empty: a new one.
	Seed string
}

// Issue makes a credential with a fresh key for use within this process; what
// leaves it comes from [Authority.HandOut]. It fails with [ErrUnknown] when
// the policy does not name the principal in the cell.
func (a *Authority) Issue(q Request) (Credential, error) {
	if q.Seed == "" {
		public, seed, err := newUser()
		if err != nil {
			return Credential{}, err
		}
		return a.issue(q, public, seed)
	}
	public, err := (Credential{Seed: q.Seed}).PublicKey()
	if err != nil {
		return Credential{}, err
	}
	return a.issue(q, public, q.Seed)
}

// issue signs for a key.
func (a *Authority) issue(q Request, public, seed string) (Credential, error) {
	if q.User == "" {
		q.User = "main"
	}
	// The server writes the user's name into its inbox: a wildcard there would
	// be everybody's.
	if !subject.Word(q.User) {
		return Credential{}, fmt.Errorf("user %q: use 2 to 32 of a-z, 0-9 and '-'", q.User)
	}
	a.mu.Lock()
	_, ok := a.roles[q.Cell][q.Principal]
	a.mu.Unlock()
	if !ok {
		return Credential{}, fmt.Errorf("%s in cell %q: %w", q.Principal, q.Cell, ErrUnknown)
	}
	signer, err := a.ring.signer(q.Cell, q.Principal)
	if err != nil {
		return Credential{}, err
	}
	return a.sign(q, signer, public, seed)
}

func (a *Authority) sign(q Request, signer nkeys.KeyPair, public, seed string) (c Credential, err error) {
	claims := jwt.NewUserClaims(public)
	claims.Name = q.User
	claims.IssuerAccount = a.AccountKey(q.Cell)
	claims.SetScoped(true)
	c = Credential{
		Principal: q.Principal.String(), Cell: q.Cell, User: q.User, Seed: seed,
		InboxPrefix: subject.InboxPrefix(q.Principal.owner(), q.User),
	}
	if q.Lifetime > 0 {
		c.Expires = a.now().Add(q.Lifetime).UTC().Truncate(time.Second)
		claims.Expires = c.Expires.Unix()
	}
	if c.JWT, err = claims.Encode(signer); err != nil {
		return Credential{}, fmt.Errorf("sign user: %w", err)
	}
	return c, nil
}

// Options are the options of a connection with this credential.
func (c Credential) Options() []nats.Option {
	return []nats.Option{nats.UserJWTAndSeed(c.JWT, c.Seed), nats.CustomInboxPrefix(c.InboxPrefix)}
}

// PublicKey is the user's public key, by which a policy revokes it.
func (c Credential) PublicKey() (string, error) {
	kp, err := nkeys.FromSeed([]byte(c.Seed))
	if err != nil {
		return "", fmt.Errorf("read user key: %w", err)
	}
	return kp.PublicKey()
}

// Creds is the text of a credentials file.
func (c Credential) Creds() ([]byte, error) {
	return jwt.FormatUserConfig(c.JWT, []byte(c.Seed))
}

// natsContext is a context of the nats command line.
type natsContext struct {
	Description string `json:"description"`
	URL         string `json:"url"`
	Creds       string `json:"creds"`
	InboxPrefix string `json:"inbox_prefix"`
	// The nats command line has these names too.
	transport.Files
}

// WriteFiles writes NAME.creds and NAME.json, a context of the nats command
// line that points at it, into dir. It overwrites neither.
func (c Credential) WriteFiles(dir, name string) (creds, contextFile string, err error) {
	text, err := c.Creds()
	if err != nil {
		return "", "", fmt.Errorf("format credentials: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", "", fmt.Errorf("find directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("make directory: %w", err)
	}
	files := c.TLS
	for _, path := range []*string{&files.Cert, &files.Key, &files.CA} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return "", "", fmt.Errorf("find TLS file: %w", err)
		}
	}
	creds, contextFile = filepath.Join(dir, name+".creds"), filepath.Join(dir, name+".json")
	doc, err := json.MarshalIndent(natsContext{
		Description: fmt.Sprintf("%s in cell %s", c.Principal, c.Cell), URL: c.URL, Creds: creds, InboxPrefix: c.InboxPrefix, Files: files,
	}, "", "  ")
	if err != nil {
		return "", "", fmt.Errorf("format context: %w", err)
	}
	if err := writeNew(creds, text); err != nil {
		return "", "", err
	}
	return creds, contextFile, writeNew(contextFile, append(doc, '\n'))
}

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}
