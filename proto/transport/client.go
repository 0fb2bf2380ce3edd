package transport

import (
	"crypto/tls"
	"time"
)

// Client is the configuration of a client: f.CA holds the authorities of the
// server's certificate, empty the system's; f.Cert and f.Key are the client's
// own and may be empty. They are read now, so that what is wrong is told now,
// and again at every handshake, so that a renewed certificate is taken.
func Client(f Files) (*tls.Config, error) {
	m, err := f.read("client", time.Now())
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: MinVersion, RootCAs: m.pool}
	if f.Cert != "" {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			m, err := Files{Cert: f.Cert, Key: f.Key}.read("client", time.Now())
			if err != nil {
				return nil, err
			}
			return m.pair, nil
		}
	}
	return c, nil
}
