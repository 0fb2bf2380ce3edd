package trial

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/proof"
)

func containsError(data []byte) bool { return bytes.Contains(data, []byte(`"error":{`)) }

// issue makes a credential of the broker that is tried.
func (t *trial) issue(q account.Request) (account.Credential, string, error) {
	if t.cfg.Running != nil {
		c, err := t.cfg.Running(q)
		return c, "running", err
	}
	c, err := t.twin.Issue(q)
	return c, "twin", err
}

// strangers: every principal tries to sign in to the cells it has no
// credential for: with a credential that it writes itself, and with its own in
// another account's name.
func (t *trial) strangers() error {
	seen := map[string]bool{}
	for _, s := range t.proof.Standings {
		name := s.Principal.String() + "@" + s.Principal.In
		if seen[name] {
			continue
		}
		seen[name] = true
		own, where, err := t.issue(request(s))
		if err != nil {
			return err
		}
		if err := signIn(own, own.JWT, own.Seed); err != nil {
			return fmt.Errorf("%s in %s, its own credential: %w", s.Principal, s.Cell, err)
		}
		for _, c := range t.world.Cells {
			stands := slices.ContainsFunc(t.proof.Standings, func(o proof.Standing) bool {
				return o.Principal.String() == s.Principal.String() && o.Principal.In == s.Principal.In && o.Cell == c.Name
			})
			if stands || t.cfg.Sample > 0 && t.draw.IntN(8) > 0 {
				continue
			}
			if err := t.intrude(s, c, own, where); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trial) intrude(s proof.Standing, c proof.Cell, own account.Credential, where string) error {
	target, err := t.accountOf(c.Name)
	if err != nil {
		return err
	}
	forged, err := forge(own, target)
	if err != nil {
		return err
	}
	for _, try := range []struct{ what, token string }{
		{"a JWT it signs itself", forged},
		{"its JWT, changed to name the account", renamed(own.JWT, target)},
	} {
		a := Attempt{Trap: "T9", Principal: s.Principal.String(), Cell: c.Name, Action: "sign in", Subject: try.what, Where: where, Outcome: Refused, Answer: "authorization violation", Why: "its own credential signs in to " + s.Cell}
		if err := signIn(own, try.token, own.Seed); err == nil {
			a.Outcome, a.Answer, a.Why = Leak, "signed in", "it is not its cell"
		} else if !errors.Is(err, nats.ErrAuthorization) {
			a.Outcome, a.Answer = Wrong, err.Error()
		}
		t.tell(a)
	}
	return nil
}

// accountOf is the public key of a cell's account at the broker that is tried.
func (t *trial) accountOf(cell string) (string, error) {
	c, _, err := t.issue(account.Request{Principal: account.API(), Cell: cell, User: user})
	if err != nil {
		return "", err
	}
	claims, err := jwt.DecodeUserClaims(c.JWT)
	if err != nil {
		return "", err
	}
	return claims.IssuerAccount, nil
}

// forge writes a credential for an account, signed by a key of one's own.
func forge(own account.Credential, target string) (string, error) {
	claims, err := jwt.DecodeUserClaims(own.JWT)
	if err != nil {
		return "", err
	}
	signer, err := nkeys.CreateAccount()
	if err != nil {
		return "", err
	}
	claims.IssuerAccount = target
	claims.SetScoped(false)
	claims.Permissions = jwt.Permissions{Pub: jwt.Permission{Allow: jwt.StringList{">"}}, Sub: jwt.Permission{Allow: jwt.StringList{">"}}}
	return claims.Encode(signer)
}

// renamed puts another account into a JWT and leaves its signature as it is.
func renamed(token, target string) string {
	parts := strings.Split(token, ".")
	body, err := base64Decode(parts[1])
	if err != nil {
		return token + "x"
	}
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return token + "x"
	}
	parts[1] = base64Encode(bytes.ReplaceAll(body, []byte(claims.IssuerAccount), []byte(target)))
	return strings.Join(parts, ".")
}

func signIn(c account.Credential, token, seed string) error {
	nc, err := nats.Connect(c.URL, nats.UserJWTAndSeed(token, seed), nats.MaxReconnects(0), nats.Timeout(5*time.Second))
	if err != nil {
		return err
	}
	nc.Close()
	return nil
}

// listeners tries the doors that a broker does not open.
func (t *trial) listeners(context.Context) error {
	cred, where, err := t.issue(account.Request{Principal: account.API(), Cell: t.world.Cells[0].Name, User: user})
	if err != nil {
		return err
	}
	u, err := url.Parse(cred.URL)
	if err != nil {
		return fmt.Errorf("read address %s: %w", cred.URL, err)
	}
	for _, door := range []struct{ name, hello, want string }{
		{"websocket", "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n", "101 Switching"},
		{"leaf node", "LS+ >\r\n", "+OK"},
		{"route", "RS+ x >\r\n", "+OK"},
		{"mqtt", "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "\x20\x02"},
	} {
		answer, err := knock(u.Host, door.hello)
		if err != nil {
			return fmt.Errorf("knock at %s: %w", u.Host, err)
		}
		a := Attempt{Trap: "C6", Principal: "a stranger", Action: "connect", Subject: door.name + " at " + u.Host, Where: where, Outcome: Refused, Answer: answer, Why: "a client's protocol alone is spoken there"}
		if strings.Contains(answer, door.want) {
			a.Outcome, a.Why = Leak, "the broker opens no such door"
		}
		t.tell(a)
	}
	t.note("websocket, leaf node, gateway, route and mqtt listeners: off (this build opens none; no credential is of their kinds, no account takes leaf nodes)")
	return nil
}

// knock says hello and reads the first line that is no greeting.
func knock(addr, hello string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	if _, err := r.ReadString('\n'); err != nil { // INFO
		return "", err
	}
	if _, err := conn.Write([]byte(hello)); err != nil {
		return "", err
	}
	line, err := r.ReadString('\n')
	if err != nil {
		return "closed", nil
	}
	return strings.TrimSpace(line), nil
}

// names: a wildcard in the name of a user would be everybody's inbox.
func (t *trial) names(context.Context) error {
	for _, s := range t.proof.Standings {
		if t.cfg.Sample > 0 && t.draw.IntN(8) > 0 {
			continue
		}
		for _, name := range []string{"*", ">", "a.b", "a b", "{{tag(x)}}"} {
			q := request(s)
			q.User = name
			a := Attempt{Trap: "T7", Principal: s.Principal.String(), Cell: s.Cell, Action: "issue", Subject: fmt.Sprintf("user %q", name), Where: "twin", Outcome: Refused, Answer: "no such name", Why: "with a name it is issued"}
			if _, err := t.twin.Issue(q); err == nil {
				a.Outcome, a.Answer, a.Why = Leak, "issued", "a name stands in a subject"
			}
			t.tell(a)
		}
	}
	return nil
}
