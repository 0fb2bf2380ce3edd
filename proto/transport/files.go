package transport

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Files name certificates and keys in PEM.
type Files struct {
	// Cert holds this end's certificate and those between it and its authority,
	// Key the private key of the first.
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// CA holds the authorities that the other end's certificate may come from.
	CA string `json:"ca,omitempty"`
}

// material is what files hold.
type material struct {
	pair *tls.Certificate
	pool *x509.CertPool
	// raw is what was read, to see whether it has changed.
	raw      string
	expiries []Expiry
}

// read reads the files that are named.
func (f Files) read(role string, now time.Time) (*material, error) {
	m := &material{}
	if (f.Cert == "") != (f.Key == "") {
		return nil, errors.New("a certificate and its key are given together, or neither")
	}
	if f.Cert != "" {
		if err := m.readPair(f, role, now); err != nil {
			return nil, err
		}
	}
	if f.CA != "" {
		if err := m.readPool(f.CA); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *material) readPair(f Files, role string, now time.Time) error {
	cert, err := os.ReadFile(f.Cert)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	key, err := readKey(f.Key)
	if err != nil {
		return err
	}
	pair, err := pairOf(f, cert, key)
	if err != nil {
		return err
	}
	if err := usable(pair.Leaf, role, now); err != nil {
		return fmt.Errorf("certificate %s: %w", f.Cert, err)
	}
	m.pair, m.raw = pair, m.raw+string(cert)+string(key)
	m.expiries = append(m.expiries, expiryOf(role, f.Cert, pair.Leaf))
	return nil
}

// readKey reads a private key that nobody else can read. A key that root owns
// may be readable by a group: so a service that is not root is handed one.
func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	forbidden := os.FileMode(0o077)
	if rootOwned(info) {
		forbidden = 0o037
	}
	if perm := info.Mode().Perm(); perm&forbidden != 0 {
		return nil, fmt.Errorf("key %s has mode %04o; run chmod 0600: %w", path, perm, ErrUnsafeKey)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return data, nil
}

func pairOf(f Files, cert, key []byte) (*tls.Certificate, error) {
	if b, _ := pem.Decode(cert); b == nil || b.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s holds no certificate in PEM", f.Cert)
	}
	if b, _ := pem.Decode(key); b == nil || !strings.HasSuffix(b.Type, "PRIVATE KEY") {
		return nil, fmt.Errorf("%s holds no private key in PEM", f.Key)
	} else if strings.HasPrefix(b.Type, "ENCRYPTED") || b.Headers["DEK-Info"] != "" {
		return nil, fmt.Errorf("key %s is encrypted with a passphrase: take it off, the file's rights protect the key", f.Key)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		if strings.Contains(err.Error(), "does not match") {
			return nil, fmt.Errorf("%s and %s: %w", f.Cert, f.Key, ErrMismatch)
		}
		return nil, fmt.Errorf("read %s and %s: %w", f.Cert, f.Key, err)
	}
	return &pair, nil
}

// usable checks time and purpose of a certificate of our own.
func usable(leaf *x509.Certificate, role string, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it expired on %s; renew it: %w", leaf.NotAfter.UTC().Format(time.RFC3339), ErrExpired)
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("it begins on %s; look at the clock: %w", leaf.NotBefore.UTC().Format(time.RFC3339), ErrExpired)
	case leaf.IsCA:
		return fmt.Errorf("it is an authority's own: %w", ErrPurpose)
	}
	want, word := x509.ExtKeyUsageServerAuth, "serverAuth"
	if role == "client" {
		want, word = x509.ExtKeyUsageClientAuth, "clientAuth"
	}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 0 && !slices.Contains(leaf.ExtKeyUsage, want) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return fmt.Errorf("its extended key usage lacks %s: %w", word, ErrPurpose)
	}
	if role == "server" && len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		return fmt.Errorf("it names no host (subject alternative name), so no client would accept it: %w", ErrPurpose)
	}
	return nil
}

func (m *material) readPool(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read authority: %w", err)
	}
	m.pool = x509.NewCertPool()
	for rest := data; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return fmt.Errorf("read authority %s: %w", path, err)
		}
		if !c.IsCA {
			return fmt.Errorf("%s: %q is no authority: %w", path, subjectOf(c), ErrPurpose)
		}
		m.pool.AddCert(c)
		m.expiries = append(m.expiries, expiryOf("authority", path, c))
	}
	if !slices.ContainsFunc(m.expiries, func(e Expiry) bool { return e.Role == "authority" }) {
		return fmt.Errorf("%s holds no certificate in PEM", path)
	}
	m.raw += string(data)
	return nil
}

// Expiries are when the certificates of the files end, without a look at
// whether they hold: what a check of a machine wants to know. role is "server"
// or "client".
func (f Files) Expiries(role string) ([]Expiry, error) {
	var out []Expiry
	for _, x := range []struct{ role, path string }{{role, f.Cert}, {"authority", f.CA}} {
		if x.path == "" {
			continue
		}
		data, err := os.ReadFile(x.path)
		if err != nil {
			return out, fmt.Errorf("read certificate: %w", err)
		}
		found := len(out)
		for rest := data; ; {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			if c, err := x509.ParseCertificate(b.Bytes); err == nil && b.Type == "CERTIFICATE" {
				out = append(out, expiryOf(x.role, x.path, c))
			}
		}
		if len(out) == found {
			return out, fmt.Errorf("%s holds no certificate in PEM", x.path)
		}
	}
	return out, nil
}

func expiryOf(role, file string, c *x509.Certificate) Expiry {
	return Expiry{Role: role, File: file, Subject: subjectOf(c), NotAfter: c.NotAfter}
}

func subjectOf(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	if n := Names(c); len(n) > 0 {
		return n[0]
	}
	return c.Subject.String()
}

// Names are what a certificate calls its holder, in lower case: its DNS names,
// addresses of mail and URIs. The common name counts only where there is none
// of them, as RFC 6125 (6.4.4) has it. A wildcard is no name.
func Names(c *x509.Certificate) []string {
	var out []string
	out = append(out, c.DNSNames...)
	out = append(out, c.EmailAddresses...)
	for _, u := range c.URIs {
		out = append(out, u.String())
	}
	if len(out) == 0 && len(c.IPAddresses) == 0 && c.Subject.CommonName != "" {
		out = append(out, c.Subject.CommonName)
	}
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	return slices.DeleteFunc(out, func(n string) bool { return strings.Contains(n, "*") })
}
