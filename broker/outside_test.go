package broker_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/violation"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// outside signs in from outside; conf is nil for a client without TLS.
func outside(b *broker.Broker, c account.Credential, conf *tls.Config) (*nats.Conn, error) {
	opts := append(c.Options(), nats.MaxReconnects(0), nats.Timeout(30*time.Second),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	url := strings.Replace(b.OutsideURL(), "tls://", "nats://", 1)
	if conf != nil {
		url, opts = b.OutsideURL(), append(opts, nats.Secure(conf))
	}
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, err
	}
	if err := nc.FlushTimeout(30 * time.Second); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

func client(t *testing.T, f transport.Files) *tls.Config {
	t.Helper()
	conf, err := transport.Client(f)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// An agency enters from outside with its own credential and its own
// certificate, and with nothing less; parts of the broker do not enter at all.
func TestOutsideTakesBothOrNothing(t *testing.T) {
	certs, strangers := brokertest.NewCerts(t), brokertest.NewCerts(t)
	var mu sync.Mutex
	seen := map[string]int{}
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir), certs.Outside(), brokertest.With(func(c *broker.Config) {
		c.OnViolation = func(v natsd.Violation) {
			mu.Lock()
			defer mu.Unlock()
			seen[v.Action+" "+v.Subject+" "+v.Account]++
		}
	}))
	pd := brokertest.Credential(t, b, "jackson-pd", "le")
	own := certs.Issue("jackson-pd", nil)
	nc, err := outside(b, pd, client(t, own))
	if err != nil {
		t.Fatalf("with both: %v", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if ack := publish(t, js, newReport("jackson-pd")); ack.Sequence == 0 {
		t.Errorf("publish over TLS: %+v", ack)
	}

	none := transport.Files{CA: own.CA}
	stranger := strangers.Issue("jackson-pd", nil)
	stranger.CA = own.CA
	old := client(t, own)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	anyPurpose := func(f transport.Files) *tls.Config { // a client that does not look at its own certificate
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			t.Fatal(err)
		}
		conf := client(t, none)
		conf.Certificates = []tls.Certificate{pair}
		return conf
	}
	for name, c := range map[string]struct {
		cred account.Credential
		conf *tls.Config
	}{
		"no TLS":                           {pd, nil},
		"TLS 1.2":                          {pd, old},
		"no certificate":                   {pd, client(t, none)},
		"another authority's certificate":  {pd, client(t, stranger)},
		"another agency's certificate":     {pd, client(t, certs.Issue("hinds-so", nil))},
		"another agency's credential":      {brokertest.Credential(t, b, "hinds-so", "le"), client(t, own)},
		"a certificate that is over":       {pd, anyPurpose(certs.Issue("jackson-pd", func(l *transport.Leaf) { l.From, l.Until = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour) }))},
		"a server's certificate":           {pd, anyPurpose(certs.Issue("jackson-pd", func(l *transport.Leaf) { l.Server, l.Client = true, false }))},
		"its name as common name alone":    {pd, client(t, certs.Issue("jackson-pd", func(l *transport.Leaf) { l.Hosts = []string{"cad.example.org"} }))},
		"a wildcard":                       {pd, client(t, certs.Issue("x", func(l *transport.Leaf) { l.Hosts = []string{"*"} }))},
		"the guard's credential":           {brokertest.Credential(t, b, "guard", "le"), client(t, own)},
		"a worker's credential":            {brokertest.Credential(t, b, "worker", "le"), client(t, own)},
		"the listener's credential":        {brokertest.Credential(t, b, "api", "le"), client(t, own)},
		"a credential that was not issued": {forged(t, pd), client(t, own)},
		"a credential of another operator": {brokertest.Credential(t, brokertest.Start(t, brokertest.WithoutGuards()), "jackson-pd", "le"), client(t, own)},
	} {
		if nc, err := outside(b, c.cred, c.conf); err == nil {
			nc.Close()
			t.Errorf("%s: let in", name)
		}
	}
	if nc, err := outside(b, brokertest.Credential(t, b, "watch-le", "le"), client(t, none)); err != nil {
		t.Errorf("a reader of whom the policy demands no certificate: %v", err)
	} else {
		nc.Close()
	}
	mu.Lock()
	if n := seen["connect certificate le"]; n < 7 {
		t.Errorf("%d records of certificates that were not the credential's: %v; want at least 7", n, seen)
	}
	mu.Unlock()
	b.Close()
	if lines := recorded(t, dir, ""); refusedAs(lines, "certificate", keyOf(t, pd)) < 2 {
		t.Errorf("a credential without its certificate is not recorded: %+v", lines)
	}
}

// refusedAs counts what the holder of the keys learns of a key that was refused
// outside.
func refusedAs(lines []violation.Line, action, key string) (n uint64) {
	for _, l := range lines {
		if l.Principal == "address/127.0.0.1" && l.Cell == "le" && l.Action == action && l.Key == key {
			n += l.Count
		}
	}
	return n
}

// forged is a credential that its holder has signed with a key of its own.
func forged(t *testing.T, c account.Credential) account.Credential {
	t.Helper()
	kp, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := kp.Seed()
	if err != nil {
		t.Fatal(err)
	}
	c.Seed = string(seed)
	return c
}

// The server takes a second CONNECT for a change of user. Whoever is in with a
// certificate of their own cannot become another that way.
func TestOutsideStaysWhoItWas(t *testing.T) {
	certs := brokertest.NewCerts(t)
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir), certs.Outside())
	u := strings.TrimPrefix(b.OutsideURL(), "tls://")
	raw, err := net.Dial("tcp", u)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(60 * time.Second))
	line, err := bufio.NewReader(io.LimitReader(raw, 64<<10)).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Nonce    string   `json:"nonce"`
		TLS      bool     `json:"tls_required"`
		Port     int      `json:"port"`
		Host     string   `json:"host"`
		Addrs    []string `json:"connect_urls"`
		ClientIP string   `json:"client_ip"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "INFO ")), &info); err != nil {
		t.Fatal(err)
	}
	if !info.TLS || info.Port != 0 || info.Host != "" || info.Addrs != nil || info.ClientIP != "" {
		t.Errorf("the greeting tells of the inside or demands no TLS: %+v", info)
	}
	conf := client(t, certs.Issue("jackson-pd", nil))
	conf.ServerName = "127.0.0.1"
	tc := tls.Client(raw, conf)
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	connect := func(c account.Credential) string {
		kp, err := nkeys.FromSeed([]byte(c.Seed))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := kp.Sign([]byte(info.Nonce))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("CONNECT {\"verbose\":false,\"protocol\":1,\"jwt\":%q,\"sig\":%q}\r\n", c.JWT, base64.RawURLEncoding.EncodeToString(sig))
	}
	r := bufio.NewReader(tc)
	expect := func(what string) {
		t.Helper()
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("wait for %s: %v", what, err)
			}
			if strings.HasPrefix(line, what) {
				return
			}
		}
	}
	own := brokertest.Credential(t, b, "jackson-pd", "le")
	if _, err := io.WriteString(tc, connect(own)+"PING\r\n"); err != nil {
		t.Fatal(err)
	}
	expect("PONG")
	if _, err := io.WriteString(tc, connect(brokertest.Credential(t, b, "hinds-so", "le"))+"PING\r\n"); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break // ended
		}
		if strings.HasPrefix(line, "PONG") {
			t.Fatal("became another user on the same connection")
		}
	}
	b.Close()
	if lines := recorded(t, dir, ""); refusedAs(lines, "protocol", keyOf(t, own)) != 1 {
		t.Errorf("who tried to become another is not recorded: %+v", lines)
	}
}

// Who would not be let in any more does not stay: the policy names another
// certificate, the credential is revoked, or the authority is another.
func TestOutsideIsCheckedAgain(t *testing.T) {
	certs := brokertest.NewCerts(t)
	opts := []brokertest.Option{certs.Outside(), brokertest.WithoutGuards()}
	var keeper *transport.Keeper
	b := brokertest.Start(t, append(opts, brokertest.With(func(c *broker.Config) { keeper = c.Outside.Keeper }))...)
	pd, so := brokertest.Credential(t, b, "jackson-pd", "le"), brokertest.Credential(t, b, "hinds-so", "le")
	in := func(c account.Credential, name string) *nats.Conn {
		t.Helper()
		nc, err := outside(b, c, client(t, certs.Issue(name, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	first, other := in(pd, "jackson-pd"), in(so, "hinds-so")
	reload(t, b, edited(t, "- name: jackson-pd\n", "- name: jackson-pd\n    certificates: [cad.jackson.example.org]\n"))
	ended(t, first)
	in(pd, "cad.jackson.example.org")
	if !other.IsConnected() {
		t.Error("the change of one agency ended another's connection")
	}
	gone := brokertest.Credential(t, b, "hinds-so", "le")
	key, err := gone.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	revoked := in(gone, "hinds-so")
	reload(t, b, edited(t, "- name: jackson-pd\n", "- name: jackson-pd\n    certificates: [cad.jackson.example.org]\n", "revoked: []", "revoked: ["+key+"]"))
	ended(t, revoked)
	data, err := os.ReadFile(filepath.Join(brokertest.NewCerts(t).Dir, transport.AuthorityCert))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(certs.Dir, transport.AuthorityCert), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := keeper.Reload(); err != nil || !changed {
		t.Fatalf("reload of the authority: %v, %v", changed, err)
	}
	b.Recheck()
	ended(t, other)
}

// Whoever holds connections open without a credential keeps nobody else out.
func TestOutsideIsNotHeldShut(t *testing.T) {
	certs := brokertest.NewCerts(t)
	b := brokertest.Start(t, certs.Outside(), brokertest.WithoutGuards())
	address := strings.TrimPrefix(b.OutsideURL(), "tls://")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	greeted := func(from string) bool {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 30 * time.Second}
		nc, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		_ = nc.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, _ := nc.Read(make([]byte, 1))
		return n == 1
	}
	held := 0
	for range 100 { // the first may be over before the last is made, on a slow machine
		if !greeted("127.0.0.2") {
			break
		}
		held++
	}
	if held < 32 || held == 100 {
		t.Errorf("one address holds %d connections; want 32 and no more at once", held)
	}
	if !greeted("127.0.0.3") {
		t.Error("another address is kept out")
	}
}

// Without TLS the broker listens on loopback or not at all, and touches nothing.
func TestNoPlainListenerForOthers(t *testing.T) {
	for _, host := range []string{"0.0.0.0", "::", "localhost", "192.0.2.1"} {
		dir := t.TempDir()
		_, err := broker.Open(context.Background(), brokertest.Config(t, brokertest.Dir(dir), brokertest.With(func(c *broker.Config) { c.Host = host })))
		if !errors.Is(err, transport.ErrPlain) {
			t.Errorf("host %s: got %v, want %v", host, err, transport.ErrPlain)
		}
		if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("host %s: the data directory was made: %v", host, err)
		}
	}
	_, err := broker.Open(context.Background(), brokertest.Config(t, brokertest.WithoutGuards(), brokertest.With(func(c *broker.Config) {
		c.Outside = &broker.Outside{Address: "127.0.0.1:0"}
	})))
	if !errors.Is(err, transport.ErrPlain) {
		t.Errorf("outside without certificates: got %v, want %v", err, transport.ErrPlain)
	}
	certs := brokertest.NewCerts(t)
	certs.Server.CA = ""
	_, err = broker.Open(context.Background(), brokertest.Config(t, brokertest.WithoutGuards(), certs.Outside()))
	if err == nil || !strings.Contains(err.Error(), "authority") {
		t.Errorf("outside without an authority of the agencies: %v", err)
	}
}
