package producers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// script is a broker that answers as a test says. It speaks as much of the
// NATS protocol as a producer uses.
type script struct {
	t      *testing.T
	l      net.Listener
	answer func(n int, p published) string // "" does not answer, hangUp closes

	mu   sync.Mutex
	seen []published
}

// hangUp as an answer closes the connection.
const hangUp = "hang up"

// noResponders as an answer is what a server says when nobody subscribes.
const noResponders = "no responders"

type published struct {
	subject, reply string
	data           []byte
}

func newScript(t *testing.T, answer func(n int, p published) string) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, l: l, answer: answer}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *script) url() string { return "nats://" + s.l.Addr().String() }

func (s *script) serve(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, `INFO {"server_id":"script","version":"2.15.2","headers":true,"max_payload":2097152,"proto":1}`+"\r\n")
	r, sid := bufio.NewReader(c), "1"
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		f := strings.Fields(line)
		switch {
		case len(f) == 0, f[0] == "CONNECT":
		case f[0] == "PING":
			fmt.Fprint(c, "PONG\r\n")
		case f[0] == "SUB":
			sid = f[len(f)-1]
		case f[0] == "PUB" && len(f) == 4:
			if !s.publish(c, r, sid, f) {
				return
			}
		}
	}
}

func (s *script) publish(c net.Conn, r io.Reader, sid string, f []string) bool {
	size, err := strconv.Atoi(f[3])
	if err != nil {
		return false
	}
	data := make([]byte, size+2)
	if _, err := io.ReadFull(r, data); err != nil {
		return false
	}
	p := published{f[1], f[2], data[:size]}
	s.mu.Lock()
	s.seen = append(s.seen, p)
	n := len(s.seen)
	s.mu.Unlock()
	switch a := s.answer(n, p); a {
	case "":
	case hangUp:
		return false
	case noResponders:
		const h = "NATS/1.0 503\r\n\r\n"
		fmt.Fprintf(c, "HMSG %s %s %d %d\r\n%s\r\n", p.reply, sid, len(h), len(h), h)
	default:
		fmt.Fprintf(c, "MSG %s %s %d\r\n%s\r\n", p.reply, sid, len(a), a)
	}
	return true
}

func (s *script) published() []published {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]published(nil), s.seen...)
}
