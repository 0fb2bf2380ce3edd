package admitbench

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/front"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// transportInFlight is how many reports are on their way at once.
var transportInFlight = []int{1024, 1}

// Transport measures what protection costs: reports per second through the
// guard from outside, with TLS and a certificate, beside loopback without; and
// with encryption at rest beside a store in the clear.
func Transport(ctx context.Context, cfg Config) (out []Figure, err error) {
	b, err := prepare(cfg)
	if err != nil {
		return nil, fmt.Errorf("measure transport: %w", err)
	}
	defer b.close()
	if err := b.startTransport(); err != nil {
		return nil, fmt.Errorf("measure transport: %w", err)
	}
	plain, clear := side{b.sync.connect, b.payload.subject}, side{b.clear.connect, b.payload.subject}
	outside := side{b.sync.enter, b.payload.subject}
	for _, n := range transportInFlight {
		f, err := b.beside(ctx, fmt.Sprintf("tls-admission-%d", n), n, outside, plain)
		if err != nil {
			return out, err
		}
		out = append(out, f)
		if f, err = b.beside(ctx, fmt.Sprintf("at-rest-admission-%d", n), n, plain, clear); err != nil {
			return out, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (b *bench) startTransport() (err error) {
	if b.sync, err = startTarget(b.cfg.Dir, kind{sync: true}); err != nil {
		return err
	}
	if b.clear, err = startTarget(b.cfg.Dir, kind{sync: true, clear: true}); err != nil {
		return err
	}
	return errors.Join(b.sync.guard(), b.clear.guard(), b.sync.open(filepath.Join(b.cfg.Dir, "certs")))
}

// open lets the agency in from outside, with certificates made in dir.
func (t *target) open(dir string) error {
	now := time.Now()
	ca, err := transport.OpenAuthority(dir, now, time.Hour)
	if err != nil {
		return err
	}
	files := func(name string) transport.Files {
		base := filepath.Join(dir, name)
		return transport.Files{Cert: base + ".pem", Key: base + ".key", CA: filepath.Join(dir, transport.AuthorityCert)}
	}
	mine, own := files("server"), files(agency)
	if err := errors.Join(
		ca.Issue(mine, transport.Leaf{Name: "server", Hosts: []string{"127.0.0.1"}, Server: true, From: now, Until: now.Add(time.Hour)}),
		ca.Issue(own, transport.Leaf{Name: agency, Client: true, From: now, Until: now.Add(time.Hour)}),
	); err != nil {
		return err
	}
	keeper, err := transport.Keep(mine, time.Now)
	if err != nil {
		return err
	}
	conf, err := transport.Client(own)
	if err != nil {
		return err
	}
	t.secure = nats.Secure(conf)
	t.door, err = front.Open(front.Config{
		Address: "127.0.0.1:0", Keeper: keeper, Server: t.srv.Addr().String(), MaxPayload: 2 << 20,
		Admit: func(_ string, leaf *x509.Certificate) (front.Entry, error) {
			if leaf == nil || !slices.Contains(transport.Names(leaf), agency) {
				return front.Entry{}, errors.New("no certificate of the agency")
			}
			return front.Entry{Cell: cell, Principal: agency}, nil
		},
	})
	return err
}

// enter signs in from outside.
func (t *target) enter(user string) (*nats.Conn, error) {
	nc, err := nats.Connect("tls://"+t.door.Addr().String(), t.user, nats.CustomInboxPrefix(subject.InboxPrefix(agency, user)), t.secure)
	if err != nil {
		return nil, fmt.Errorf("connect over TLS: %w", err)
	}
	return nc, nil
}
