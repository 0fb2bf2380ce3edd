package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// LookEvery is how often a keeper looks whether its files have changed.
const LookEvery = 10 * time.Second

// Keeper holds a server's certificate, key and the authorities of its clients,
// and takes changed files. Its methods may be called at the same time.
type Keeper struct {
	files Files
	now   func() time.Time

	mu   sync.Mutex
	have *material
	err  error // of the last look; nil while what is held is what the files say
}

// Keep reads the files, which name a server's certificate and key. now is the
// clock.
func Keep(f Files, now func() time.Time) (*Keeper, error) {
	if f.Cert == "" {
		return nil, errors.New("a server needs a certificate and its key")
	}
	m, err := f.read("server", now())
	if err != nil {
		return nil, err
	}
	return &Keeper{files: f, now: now, have: m}, nil
}

// Files are the files that are kept.
func (k *Keeper) Files() Files { return k.files }

// Reload reads the files again. When they are wrong, what was held stays in
// force, the error says what is wrong, and Health goes on saying it.
func (k *Keeper) Reload() (changed bool, err error) {
	m, err := k.files.read("server", k.now())
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err != nil {
		return false, fmt.Errorf("certificates are not taken, the old ones stay: %w", err)
	}
	changed = m.raw != k.have.raw
	k.have = m
	return changed, nil
}

// Watch looks at the files until ctx ends. told is called after every change
// that was taken, and once for every new error.
func (k *Keeper) Watch(ctx context.Context, every time.Duration, told func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := k.Reload()
		switch {
		case err == nil && !changed:
			last = ""
		case err == nil:
			last = ""
			told(nil)
		case err.Error() != last:
			last = err.Error()
			told(err)
		}
	}
}

func (k *Keeper) current() *material {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.have
}

// Server is the configuration of a listener. Every handshake uses what is held
// then. Clients that show a certificate show one of the authorities', where
// there are any; without authorities none is asked for.
func (k *Keeper) Server() *tls.Config {
	return &tls.Config{MinVersion: MinVersion, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		m := k.current()
		c := &tls.Config{
			MinVersion: MinVersion, Certificates: []tls.Certificate{*m.pair},
			// A resumed session would pass by a changed authority.
			SessionTicketsDisabled: true,
		}
		if m.pool != nil {
			c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, m.pool
		}
		return c, nil
	}}
}

// HTTP is Server for a listener that asks for no certificate.
func (k *Keeper) HTTP() *tls.Config {
	return &tls.Config{MinVersion: MinVersion, NextProtos: []string{"http/1.1"}, SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current().pair, nil }}
}

// Holds says whether a chain that a client has shown would still be accepted.
func (k *Keeper) Holds(chain []*x509.Certificate) error {
	m := k.current()
	if len(chain) == 0 || m.pool == nil {
		return errors.New("no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: m.pool, Intermediates: between, CurrentTime: k.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// Host is the name that clients connect to: the first of the server's
// certificate that is no wildcard; empty when there is none.
func (k *Keeper) Host() string {
	leaf := k.current().pair.Leaf
	for _, n := range leaf.DNSNames {
		if !strings.Contains(n, "*") {
			return n
		}
	}
	if len(leaf.IPAddresses) > 0 {
		return leaf.IPAddresses[0].String()
	}
	return ""
}

// Expiries are when the certificates that are held end.
func (k *Keeper) Expiries() []Expiry { return slices.Clone(k.current().expiries) }

// Health is nil while what is held is what the files say and is valid now.
func (k *Keeper) Health() error {
	k.mu.Lock()
	m, err := k.have, k.err
	k.mu.Unlock()
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	for _, e := range m.expiries {
		if k.now().After(e.NotAfter) {
			return fmt.Errorf("certificate %s of %s expired on %s: %w", e.File, e.Subject, e.NotAfter.UTC().Format(time.RFC3339), ErrExpired)
		}
	}
	return nil
}
