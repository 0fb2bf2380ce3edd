// Package transport is how the two ends of a connection know each other: TLS
// 1.3, certificates and keys from files, and the names in them.
//
// A server keeps its files in a [Keeper], which takes changed files without a
// restart and goes on with the old ones when the new ones are wrong. A client
// makes its configuration with [Client]. A certificate names its holder by its
// subject alternative names; [Names] lists them. [Authority] makes certificates
// for a trial and for tests; a site with a public key infrastructure brings its
// own.
//
// It listens nowhere and decides nothing about who may do what.
package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// MinVersion is the oldest TLS that is spoken. Every NATS client and browser of
// the last six years speaks 1.3; 1.2 would bring renegotiation, static ciphers
// and the client's certificate in the clear.
const MinVersion = tls.VersionTLS13

var (
	// ErrPlain: a listener that others can reach has no TLS. Give it a
	// certificate and key, or listen on 127.0.0.1.
	ErrPlain = errors.New("without TLS only this machine may be listened to")
	// ErrMismatch: certificate and key are not of one pair. Name the two that
	// were made together.
	ErrMismatch = errors.New("certificate and key do not belong together")
	// ErrUnsafeKey: others than the owner may read the key. Take the rights away.
	ErrUnsafeKey = errors.New("key file is not safe")
	// ErrExpired: the certificate's time is over or has not begun. Renew it, or
	// correct the clock.
	ErrExpired = errors.New("certificate is not valid now")
	// ErrPurpose: the certificate is not made for this end of a connection. Have
	// it issued with the right extended key usage.
	ErrPurpose = errors.New("certificate is for another purpose")
)

// Loopback says whether a host can be reached from this machine alone. Only an
// address of the loopback network is; a name may point anywhere, and the empty
// host is every address.
func Loopback(host string) bool {
	return net.ParseIP(host).IsLoopback()
}

// LoopbackAddr is Loopback of a listener's address.
func LoopbackAddr(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// Expiry is when a certificate ends.
type Expiry struct {
	// Role is "server", "client" or "authority".
	Role string `json:"role"`
	File string `json:"file"`
	// Subject is the certificate's common name, or its first name.
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
}
