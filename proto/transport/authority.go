package transport

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Files of an authority in its folder.
const (
	AuthorityCert = "ca.pem"
	AuthorityKey  = "ca.key"
)

// skew is how long before its making a certificate begins: clocks differ.
const skew = time.Minute

// Authority makes certificates for a trial and for tests. Its key lies in a
// file: whoever has it can be everybody.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// Leaf is a certificate to be made.
type Leaf struct {
	// Name is the common name and, unless Hosts are given, the DNS name.
	Name string
	// Hosts are DNS names and addresses.
	Hosts []string
	// Server and Client are what it is for.
	Server, Client bool
	// From and Until bound its time.
	From, Until time.Time
}

// OpenAuthority reads the authority of a folder, or makes one that lasts
// lifetime from now. The folder and the key are the owner's alone.
func OpenAuthority(dir string, now time.Time, lifetime time.Duration) (*Authority, error) {
	f := Files{Cert: filepath.Join(dir, AuthorityCert), Key: filepath.Join(dir, AuthorityKey)}
	cert, err := os.ReadFile(f.Cert)
	if errors.Is(err, fs.ErrNotExist) {
		return newAuthority(dir, f, now, lifetime)
	}
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	key, err := readKey(f.Key)
	if err != nil {
		return nil, err
	}
	pair, err := pairOf(f, cert, key)
	if err != nil {
		return nil, err
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is no authority: %w", f.Cert, ErrPurpose)
	}
	if now.After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("authority %s expired on %s; begin again in another folder: %w", f.Cert, pair.Leaf.NotAfter.UTC().Format(time.RFC3339), ErrExpired)
	}
	return &Authority{cert: pair.Leaf, key: signer, pem: cert}, nil
}

func newAuthority(dir string, f Files, now time.Time, lifetime time.Duration) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Watchfloor trial authority"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(lifetime), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if err := writePair(f, der, key); err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert: cert, key: key, pem: pemOf("CERTIFICATE", der)}, err
}

// Issue makes a certificate and key in the files, which do not exist yet.
func (a *Authority) Issue(f Files, l Leaf) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: l.Name}, NotBefore: l.From.Add(-skew), NotAfter: l.Until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if l.Until.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	if l.Server {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if l.Client {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, h := range l.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	if len(l.Hosts) == 0 {
		t.DNSNames = []string{l.Name}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("make certificate of %s: %w", l.Name, err)
	}
	return writePair(f, der, key)
}

// Pool trusts this authority.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// NotAfter is when the authority ends.
func (a *Authority) NotAfter() time.Time { return a.cert.NotAfter }

// Trusting is a client's configuration that trusts this authority alone.
func (a *Authority) Trusting() *tls.Config {
	return &tls.Config{MinVersion: MinVersion, RootCAs: a.Pool()}
}

func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: package crypto/rand ends the program first
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writePair writes the key before the certificate: a certificate that is there
// has its key.
func writePair(f Files, der []byte, key *ecdsa.PrivateKey) error {
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := writeNew(f.Key, pemOf("PRIVATE KEY", k), 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := writeNew(f.Cert, pemOf("CERTIFICATE", der), 0o644); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}

func writeNew(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
