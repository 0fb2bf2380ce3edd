package natsd

import (
	"math"

	"github.com/nats-io/nats-server/v2/server"
)

// Connections counts the live connections to an account whose user or signing
// key is one of those named.
func (s *Server) Connections(account string, users, signers map[string]bool) (int, error) {
	z, err := s.nats.Load().Connz(&server.ConnzOptions{Username: true, Account: account, Limit: math.MaxInt32})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range z.Conns {
		if users[c.AuthorizedUser] || signers[c.IssuerKey] {
			n++
		}
	}
	return n, nil
}
