package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/proto/transport"
)

// rig is an authority in a folder and a clock that stands.
type rig struct {
	t    *testing.T
	dir  string
	ca   *transport.Authority
	now  time.Time
	made int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), now: time.Now()}
	var err error
	if r.ca, err = transport.OpenAuthority(r.dir, r.now, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	return r
}

// issue makes a pair; edit changes what it says.
func (r *rig) issue(edit func(*transport.Leaf)) transport.Files {
	r.t.Helper()
	r.made++
	base := filepath.Join(r.dir, fmt.Sprintf("leaf-%d", r.made))
	f := transport.Files{Cert: base + ".pem", Key: base + ".key", CA: filepath.Join(r.dir, transport.AuthorityCert)}
	l := transport.Leaf{Name: "broker", Hosts: []string{"localhost", "127.0.0.1"}, Server: true, From: r.now, Until: r.now.Add(time.Hour)}
	if edit != nil {
		edit(&l)
	}
	if err := r.ca.Issue(f, l); err != nil {
		r.t.Fatal(err)
	}
	return f
}

func (r *rig) keep(f transport.Files) *transport.Keeper {
	r.t.Helper()
	k, err := transport.Keep(f, func() time.Time { return r.now })
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A server does not begin with files that are wrong, and says which and why.
func TestWrongFilesAreRefused(t *testing.T) {
	r := newRig(t)
	good, other := r.issue(nil), r.issue(nil)
	garbage := filepath.Join(r.dir, "garbage.pem")
	write(t, garbage, []byte("no PEM"))
	encrypted := filepath.Join(r.dir, "encrypted.key")
	write(t, encrypted, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	open := r.issue(nil)
	if err := os.Chmod(open.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files transport.Files
		want  error
		says  string
	}{
		"mismatch":          {transport.Files{Cert: good.Cert, Key: other.Key}, transport.ErrMismatch, other.Key},
		"key for everybody": {open, transport.ErrUnsafeKey, "chmod 0600"},
		"expired":           {r.issue(func(l *transport.Leaf) { l.From, l.Until = r.now.Add(-2*time.Hour), r.now.Add(-time.Hour) }), transport.ErrExpired, "expired on"},
		"not yet":           {r.issue(func(l *transport.Leaf) { l.From = r.now.Add(30 * time.Minute) }), transport.ErrExpired, "begins on"},
		"a client's":        {r.issue(func(l *transport.Leaf) { l.Server, l.Client = false, true }), transport.ErrPurpose, "serverAuth"},
		"the authority's":   {transport.Files{Cert: good.CA, Key: filepath.Join(r.dir, transport.AuthorityKey)}, transport.ErrPurpose, "authority"},
		"no authority":      {transport.Files{Cert: good.Cert, Key: good.Key, CA: other.Cert}, transport.ErrPurpose, "no authority"},
		"no certificate":    {transport.Files{Key: good.Key}, nil, "needs a certificate"},
		"no key":            {transport.Files{Cert: good.Cert}, nil, "together"},
		"missing":           {transport.Files{Cert: good.Cert + "x", Key: good.Key}, os.ErrNotExist, good.Cert + "x"},
		"garbage":           {transport.Files{Cert: garbage, Key: good.Key}, nil, "no certificate in PEM"},
		"garbage key":       {transport.Files{Cert: good.Cert, Key: garbage}, nil, "no private key in PEM"},
		"encrypted":         {transport.Files{Cert: good.Cert, Key: encrypted}, nil, "passphrase"},
	} {
		_, err := transport.Keep(c.files, func() time.Time { return r.now })
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v saying %q", name, err, c.want, c.says)
		}
	}
	if _, err := transport.Keep(good, func() time.Time { return r.now }); err != nil {
		t.Errorf("good files: %v", err)
	}
}

// serve answers handshakes and returns an address and what a client saw.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if c.(*tls.Conn).Handshake() == nil {
					_, _ = c.Write([]byte("x"))
				}
			}()
		}
	}()
	return l.Addr().String()
}

// shake makes one connection and reads the answer that follows a handshake.
func shake(addr string, config *tls.Config) (serial string, err error) {
	d := &net.Dialer{Timeout: 30 * time.Second}
	c, err := tls.DialWithDialer(d, "tcp", addr, config)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

// Changed files are taken by the next handshake; wrong ones are not, and the
// keeper says so until they are put right.
func TestChangedFilesAreTaken(t *testing.T) {
	r := newRig(t)
	f := r.issue(nil)
	k := r.keep(f)
	addr := serve(t, k.Server())
	first, err := shake(addr, r.ca.Trusting())
	if err != nil {
		t.Fatal(err)
	}
	replace := func(with transport.Files) {
		for _, p := range [][2]string{{with.Cert, f.Cert}, {with.Key, f.Key}} {
			data, err := os.ReadFile(p[0])
			if err != nil {
				t.Fatal(err)
			}
			write(t, p[1], data)
		}
	}
	replace(r.issue(nil))
	if changed, err := k.Reload(); err != nil || !changed {
		t.Fatalf("reload: %v, %v; want a change", changed, err)
	}
	second, err := shake(addr, r.ca.Trusting())
	if err != nil || second == first {
		t.Errorf("after the change: certificate %s, %v; want another than %s", second, err, first)
	}
	if changed, err := k.Reload(); err != nil || changed {
		t.Errorf("nothing changed: %v, %v", changed, err)
	}
	replace(transport.Files{Cert: r.issue(nil).Cert, Key: r.issue(nil).Key})
	if _, err := k.Reload(); !errors.Is(err, transport.ErrMismatch) || !errors.Is(k.Health(), transport.ErrMismatch) {
		t.Errorf("wrong pair: reload %v, health %v; want %v of both", err, k.Health(), transport.ErrMismatch)
	}
	if got, err := shake(addr, r.ca.Trusting()); err != nil || got != second {
		t.Errorf("with a wrong pair on disk: %s, %v; want the old %s", got, err, second)
	}
	replace(r.issue(nil))
	if _, err := k.Reload(); err != nil || k.Health() != nil {
		t.Errorf("put right: %v, %v", err, k.Health())
	}
}

// When a certificate ends while the server runs, health says so, and what
// reads files alone sees the same date.
func TestExpiryIsTold(t *testing.T) {
	r := newRig(t)
	f := r.issue(nil)
	k := r.keep(f)
	if err := k.Health(); err != nil {
		t.Fatal(err)
	}
	held := k.Expiries()
	read, err := f.Expiries("server")
	if err != nil || len(held) != 2 || len(read) != 2 {
		t.Fatalf("expiries held %v, read %v, %v", held, read, err)
	}
	for i := range held {
		if held[i] != read[i] {
			t.Errorf("held %v, read %v", held[i], read[i])
		}
	}
	r.now = held[0].NotAfter.Add(time.Second)
	if err := k.Health(); !errors.Is(err, transport.ErrExpired) {
		t.Errorf("got %v, want %v", err, transport.ErrExpired)
	}
}

// No TLS below 1.3, and no certificate of another authority.
func TestHandshake(t *testing.T) {
	r, stranger := newRig(t), newRig(t)
	k := r.keep(r.issue(nil))
	addr := serve(t, k.Server())
	mine := r.issue(func(l *transport.Leaf) { l.Name, l.Hosts, l.Server, l.Client = "fbi", nil, false, true })
	theirs := stranger.issue(func(l *transport.Leaf) { l.Name, l.Hosts, l.Server, l.Client = "fbi", nil, false, true })
	theirs.CA = mine.CA // whom the client trusts
	client := func(f transport.Files) *tls.Config {
		c, err := transport.Client(f)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if _, err := shake(addr, client(mine)); err != nil {
		t.Errorf("a certificate of the authority: %v", err)
	}
	if _, err := shake(addr, client(transport.Files{CA: mine.CA})); err != nil {
		t.Errorf("no certificate: %v", err)
	}
	old := r.ca.Trusting()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for name, c := range map[string]*tls.Config{
		"TLS 1.2": old, "a certificate of a stranger": client(theirs), "a server of a stranger": client(transport.Files{CA: filepath.Join(stranger.dir, transport.AuthorityCert)}),
	} {
		if _, err := shake(addr, c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := transport.Client(transport.Files{Cert: r.issue(nil).Cert, Key: r.issue(nil).Key}); !errors.Is(err, transport.ErrMismatch) {
		t.Errorf("a client with a wrong pair: %v", err)
	}
	if _, err := transport.Client(r.issue(nil)); !errors.Is(err, transport.ErrPurpose) {
		t.Errorf("a client with a server's certificate: %v, want %v", err, transport.ErrPurpose)
	}
}

// Only an address of loopback is this machine alone: a name may point anywhere.
func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.2": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "localhost": false, "127.0.0.1.example.org": false, "128.0.0.1": false,
	} {
		if got := transport.Loopback(host); got != want {
			t.Errorf("Loopback(%q) = %v, want %v", host, got, want)
		}
	}
}

// A keeper sees changed files by itself, and tells what is wrong and what it took.
func TestWatchTakesChanges(t *testing.T) {
	r := newRig(t)
	f, next := r.issue(nil), r.issue(nil)
	k := r.keep(f)
	told := make(chan error, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); k.Watch(ctx, time.Millisecond, func(err error) { told <- err }) }()
	wait := func(what string, good bool) {
		t.Helper()
		for {
			select {
			case err := <-told:
				if (err == nil) == good {
					return
				} // between two files of a pair the pair is wrong
			case <-time.After(time.Minute):
				t.Fatalf("not told of %s within a minute", what)
			}
		}
	}
	copyTo := func(from, to string) {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, to, data)
	}
	copyTo(next.Key, f.Key)
	wait("a wrong pair", false)
	copyTo(next.Cert, f.Cert)
	wait("a right pair", true)
	cancel()
	<-ended
	if err := k.Health(); err != nil {
		t.Errorf("after it was put right: %v", err)
	}
}
