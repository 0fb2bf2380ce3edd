package natsd

import (
	"math"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
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

// token is the JWT that a live connection signed in with. It is called from the
// goroutine that reads the connection, which alone writes it.
func (s *Server) token(connection uint64) string {
	n := s.nats.Load()
	if n == nil {
		return ""
	}
	c := n.GetClient(connection)
	if c == nil {
		return ""
	}
	return c.GetOpts().JWT
}

// listenTo has the log told on, with what only the connection knows.
func (s *Server) listenTo(cfg Config) {
	if cfg.OnViolation != nil {
		s.log.on = func(v Violation) {
			v.Token = s.token(v.Connection)
			cfg.OnViolation(v)
		}
	}
	if cfg.OnRefusal != nil {
		s.log.out = func(r Refusal, cid uint64) {
			if c, err := jwt.DecodeUserClaims(s.token(cid)); err == nil && nkeys.IsValidPublicUserKey(c.Subject) {
				r.User = c.Subject
			}
			cfg.OnRefusal(r)
		}
	}
}
