package broker

import (
	"crypto/x509"
	"fmt"
	"net"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/front"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Outside is the listener for other machines.
type Outside struct {
	// Address is host:port; port 0 is any free one.
	Address string
	// Keeper holds the server's certificate and the authority of the agencies'.
	// Whoever made it watches its files and calls Recheck after a change.
	Keeper *transport.Keeper
	// Host is the name that other machines connect to; empty is the first of the
	// certificate.
	Host string
}

func (o *Outside) host() string {
	if o.Host != "" {
		return o.Host
	}
	return o.Keeper.Host()
}

// openFront lets other machines in. The caller holds mu.
func (b *Broker) openFront() error {
	o := b.cfg.Outside
	if o == nil {
		return nil
	}
	if o.Keeper == nil {
		return fmt.Errorf("listen on %s: %w", o.Address, transport.ErrPlain)
	}
	var err error
	b.front, err = front.Open(front.Config{
		Address: o.Address, Keeper: o.Keeper, Server: b.nats.Addr(), MaxPayload: natsd.MaxPayload, Log: b.cfg.Log.Named("front"),
		Admit: b.admit, Told: b.refusedOutside,
	})
	return err
}

func (b *Broker) closeFront() {
	if b.front != nil {
		b.front.Close()
	}
}

// recheck ends the outside connections that would not be let in now.
func (b *Broker) recheck() {
	if b.front != nil {
		b.front.Recheck()
	}
}

// Recheck ends the outside connections whose certificates do not hold any
// more: call it after certificates were reloaded.
func (b *Broker) Recheck() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recheck()
}

func (b *Broker) admit(signingKey string, leaf *x509.Certificate) (front.Entry, error) {
	h, err := b.authority.MayEnter(signingKey, leaf)
	if h.Cell == "" {
		return front.Entry{}, err
	}
	return front.Entry{Cell: h.Cell, Principal: h.Principal.String()}, err
}

// refusedOutside makes a record, for who holds the keys, of a certificate that
// was not its credential's, and of who was in and did not keep to the protocol:
// a second CONNECT tries to become somebody else.
func (b *Broker) refusedOutside(r front.Refusal) {
	if r.Reason != "certificate" && (r.Reason != "protocol" || r.Principal == "") {
		return
	}
	b.violations.outside(r)
	if r.Reason == "certificate" && b.cfg.OnViolation != nil {
		b.cfg.OnViolation(natsd.Violation{Action: "connect", Subject: "certificate", Account: r.Cell, User: r.User})
	}
}

// OutsideURL is where other machines connect; empty without such a listener.
func (b *Broker) OutsideURL() string {
	if b.front == nil {
		return ""
	}
	_, port, err := net.SplitHostPort(b.front.Addr().String())
	if err != nil {
		b.cfg.Log.Error("outside address", zap.Error(err))
		return ""
	}
	return "tls://" + net.JoinHostPort(b.cfg.Outside.host(), port)
}

// OutsideRefused counts connections from outside that were not let in.
func (b *Broker) OutsideRefused() uint64 {
	if b.front == nil {
		return 0
	}
	return b.front.Refused()
}
