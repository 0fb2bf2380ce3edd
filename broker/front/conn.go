package front

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
)

// conn is one client and the server's end of it.
type conn struct {
	front  *Front
	raw    net.Conn // the client's, before TLS
	cancel context.CancelFunc

	mu     sync.Mutex // server, expiry and gone are under it
	server net.Conn
	expiry *time.Timer
	gone   bool

	client *tls.Conn
	down   *bufio.Reader // from the server
	up     *bufio.Reader // from the client

	in    atomic.Bool // the fields below are set and do not change
	key   string      // that signed the credential
	user  string
	entry Entry
	chain []*x509.Certificate
}

const (
	maxInfo    = 32 << 10
	maxConnect = 8 << 10
	chunk      = 32 << 10
)

// enter greets the client, makes TLS with it and checks what it presents.
func (c *conn) enter(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	_ = c.raw.SetDeadline(deadline)
	if err := c.greet(ctx); err != nil {
		return c.refuse("protocol", err)
	}
	c.client = tls.Server(c.raw, c.front.tls)
	if err := c.client.HandshakeContext(ctx); err != nil {
		return c.refuse("handshake", err)
	}
	c.chain = c.client.ConnectionState().PeerCertificates
	c.up = bufio.NewReaderSize(c.client, chunk)
	line, err := c.present()
	if err != nil {
		return c.refuse("protocol", err)
	}
	if c.entry, err = c.front.cfg.Admit(c.key, c.leaf()); err != nil {
		return c.refuse("certificate", err)
	}
	if _, err := c.server.Write(line); err != nil {
		return c.refuse("protocol", err)
	}
	_ = c.raw.SetDeadline(time.Time{})
	c.untilExpiry()
	c.in.Store(true)
	// Authorities or policy may have changed since the handshake.
	if err := c.stillHolds(); err != nil {
		return c.refuse("certificate", err)
	}
	return nil
}

// greet connects to the server and passes its greeting on, which then says
// that TLS is required and nothing of where the server listens.
func (c *conn) greet(ctx context.Context) error {
	var d net.Dialer
	sc, err := d.DialContext(ctx, "tcp", c.front.cfg.Server)
	if err != nil {
		return fmt.Errorf("connect to the server: %w", err)
	}
	c.mu.Lock()
	c.server = sc
	gone := c.gone
	c.mu.Unlock()
	if gone {
		_ = sc.Close()
		return net.ErrClosed
	}
	c.down = bufio.NewReaderSize(sc, maxInfo)
	line, err := c.down.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read the server's greeting: %w", err)
	}
	info := map[string]json.RawMessage{}
	text, ok := bytes.CutPrefix(line, []byte("INFO "))
	if err := json.Unmarshal(text, &info); err != nil || !ok {
		return errors.New("read the server's greeting: it is none")
	}
	for _, key := range []string{"connect_urls", "ws_connect_urls", "host", "port", "ip", "client_ip", "tls_available"} {
		delete(info, key)
	}
	info["tls_required"] = json.RawMessage("true")
	out, err := json.Marshal(info)
	if err != nil {
		return err
	}
	_, err = c.raw.Write(append(append([]byte("INFO "), out...), "\r\n"...))
	return err
}

// present reads the client's first command and returns it as it goes to the
// server: what is understood of it and nothing else.
func (c *conn) present() ([]byte, error) {
	line, err := c.up.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("read the credential: %w", err)
	}
	text, ok := bytes.CutPrefix(line, []byte("CONNECT "))
	if !ok || len(line) > maxConnect {
		return nil, errors.New("the first command is no CONNECT")
	}
	opts := server.ClientOpts{Verbose: true, Pedantic: true, Echo: true} // what the server assumes
	if err := json.Unmarshal(text, &opts); err != nil {
		return nil, errors.New("CONNECT is not JSON")
	}
	claims, err := jwt.DecodeUserClaims(opts.JWT)
	if err != nil {
		return nil, errors.New("CONNECT has no credential")
	}
	c.key, c.user = claims.Issuer, claims.Subject
	opts.ProxySig, opts.TLSRequired = "", false
	out, err := json.Marshal(opts)
	if err != nil {
		return nil, err
	}
	return append(append([]byte("CONNECT "), out...), "\r\n"...), nil
}

func (c *conn) leaf() *x509.Certificate {
	if len(c.chain) == 0 {
		return nil
	}
	return c.chain[0]
}

// stillHolds decides about the connection by what is in force now.
func (c *conn) stillHolds() error {
	if len(c.chain) > 0 {
		if err := c.front.cfg.Keeper.Holds(c.chain); err != nil {
			return err
		}
	}
	_, err := c.front.cfg.Admit(c.key, c.leaf())
	return err
}

// untilExpiry ends the connection with the first certificate of its chain.
func (c *conn) untilExpiry() {
	if len(c.chain) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		c.expiry = time.AfterFunc(time.Until(c.chain[0].NotAfter), c.close)
	}
}

// refuse tells the client no more than that it is not let in.
func (c *conn) refuse(reason string, err error) error {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	if gone { // the front is closing
		return err
	}
	if c.client != nil && c.client.ConnectionState().HandshakeComplete {
		_ = c.client.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(c.client, "-ERR 'Authorization Violation'\r\n") // it may be gone already
	}
	c.front.refuse(c.refusal(reason, err))
	return err
}

func (c *conn) refusal(reason string, err error) Refusal {
	return Refusal{Reason: reason, Cell: c.entry.Cell, Principal: c.entry.Principal, User: c.user, Host: host(c.raw), Err: err}
}

// carry moves bytes both ways until either end is done.
func (c *conn) carry() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.carryUp()
		// The server hears the end and answers with its own.
		_ = c.server.(*net.TCPConn).CloseWrite()
	}()
	c.carryDown()
	c.close()
	<-done
}

// carryUp passes on what the client sends, as long as it keeps to the protocol
// and stays whom it was let in as.
func (c *conn) carryUp() {
	w := watcher{max: c.front.cfg.MaxPayload}
	buf := make([]byte, chunk)
	for {
		n, err := c.up.Read(buf)
		if n > 0 {
			if werr := w.watch(buf[:n]); werr != nil {
				c.front.refuse(c.refusal("protocol", werr))
				c.close()
				return
			}
			if _, werr := c.server.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *conn) carryDown() {
	buf := make([]byte, chunk)
	for {
		n, err := c.down.Read(buf)
		if n > 0 {
			_ = c.raw.SetWriteDeadline(time.Now().Add(writeWithin))
			if _, werr := c.client.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// close ends both ends at once. It may be called at any time, and again.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return
	}
	c.gone = true
	c.cancel()
	if c.expiry != nil {
		c.expiry.Stop()
	}
	_ = c.raw.Close()
	if c.server != nil {
		_ = c.server.Close()
	}
}
