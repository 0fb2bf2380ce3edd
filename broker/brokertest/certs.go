package brokertest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Certs is an authority of a test with the certificate of a server at 127.0.0.1.
type Certs struct {
	Dir    string
	Server transport.Files

	t  testing.TB
	ca *transport.Authority
}

// NewCerts makes an authority and a server's certificate that end with the test.
func NewCerts(t testing.TB) *Certs {
	t.Helper()
	c := &Certs{Dir: t.TempDir(), t: t}
	var err error
	if c.ca, err = transport.OpenAuthority(c.Dir, time.Now(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	c.Server = c.Issue("server", func(l *transport.Leaf) {
		l.Hosts, l.Server, l.Client = []string{"localhost", "127.0.0.1"}, true, false
	})
	return c
}

// Issue makes a certificate for a client of the name; edit may change it.
func (c *Certs) Issue(name string, edit func(*transport.Leaf)) transport.Files {
	c.t.Helper()
	base := filepath.Join(c.t.TempDir(), name)
	f := transport.Files{Cert: base + ".pem", Key: base + ".key", CA: filepath.Join(c.Dir, transport.AuthorityCert)}
	l := transport.Leaf{Name: name, Client: true, From: time.Now(), Until: time.Now().Add(time.Hour)}
	if edit != nil {
		edit(&l)
	}
	if err := c.ca.Issue(f, l); err != nil {
		c.t.Fatal(err)
	}
	return f
}

// Keeper keeps the server's files.
func (c *Certs) Keeper() *transport.Keeper {
	c.t.Helper()
	k, err := transport.Keep(c.Server, time.Now)
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

// Outside opens the broker to other machines, on a free port of loopback.
func (c *Certs) Outside() Option {
	k := c.Keeper()
	return func(cfg *broker.Config) { cfg.Outside = &broker.Outside{Address: "127.0.0.1:0", Keeper: k} }
}

// TLS is the option of a connection that shows the files' certificate and
// trusts their authority.
func TLS(t testing.TB, f transport.Files) nats.Option {
	t.Helper()
	conf, err := transport.Client(f)
	if err != nil {
		t.Fatal(err)
	}
	return nats.Secure(conf)
}
