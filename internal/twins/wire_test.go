package twins

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/account"
)

// patience is how long anything may take: a limit, never a time to wait.
const patience = 2 * time.Minute

// message is what came for a subscription.
type message struct {
	subject, reply string
	header         string
	data           []byte
}

// wire is a NATS client that puts everything that the server writes on a tape.
// Its subscriptions and inboxes have names that say nothing of chance.
type wire struct {
	conn  net.Conn
	r     *bufio.Reader
	tape  *Recorder // nil: nothing is kept
	inbox string
	// number of the connection, as the server counts them.
	number uint64

	write sync.Mutex
	mu    sync.Mutex
	news  chan struct{} // closed and made anew when something came
	heard map[string][]message
	pongs int
	pings int
	sids  int
	asked int
	ended error
}

// dial signs in over TCP.
func dial(c account.Credential, tape *Recorder) (*wire, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", u.Host, 10*time.Second)
	if err != nil {
		return nil, err
	}
	w := &wire{conn: conn, r: bufio.NewReaderSize(conn, 64<<10), tape: tape, inbox: c.InboxPrefix, news: make(chan struct{}), heard: map[string][]message{}}
	if err := w.signIn(c); err != nil {
		conn.Close()
		return nil, fmt.Errorf("sign in as %s in %s: %w", c.Principal, c.Cell, err)
	}
	return w, nil
}

func (w *wire) signIn(c account.Credential) error {
	line, err := w.r.ReadString('\n')
	if err != nil {
		return err
	}
	w.keep([]byte(strings.TrimRight(line, "\r\n") + "\n"))
	var hello struct {
		Nonce  string `json:"nonce"`
		Number uint64 `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "INFO ")), &hello); err != nil {
		return err
	}
	kp, err := nkeys.FromSeed([]byte(c.Seed))
	if err != nil {
		return err
	}
	w.number = hello.Number
	sig, err := kp.Sign([]byte(hello.Nonce))
	if err != nil {
		return err
	}
	connect, err := json.Marshal(map[string]any{
		"verbose": false, "pedantic": false, "jwt": c.JWT, "sig": base64.RawURLEncoding.EncodeToString(sig), "name": "twin", "lang": "go", "version": "1",
		"protocol": 1, "echo": true, "headers": true, "no_responders": true,
	})
	if err != nil {
		return err
	}
	go w.read()
	if err := w.send("CONNECT " + string(connect) + "\r\n"); err != nil {
		return err
	}
	return w.flush()
}

func (w *wire) keep(data []byte) {
	if w.tape != nil {
		w.tape.Keep(data)
	}
}

func (w *wire) close() { w.conn.Close() }

func (w *wire) send(text string) error {
	w.write.Lock()
	defer w.write.Unlock()
	_, err := io.WriteString(w.conn, text)
	return err
}

// read takes what the server writes until the connection ends.
func (w *wire) read() {
	for {
		if err := w.next(); err != nil {
			w.mu.Lock()
			w.ended = err
			w.tell()
			w.mu.Unlock()
			return
		}
	}
}

// tell wakes who waits; mu is held.
func (w *wire) tell() {
	close(w.news)
	w.news = make(chan struct{})
}

func (w *wire) next() error {
	line, err := w.r.ReadString('\n')
	if err != nil {
		return err
	}
	line = strings.TrimRight(line, "\r\n")
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "MSG", "HMSG":
		return w.took(verb, strings.Fields(rest))
	case "PING":
		w.keep([]byte("PING\n"))
		if err := w.send("PONG\r\n"); err != nil {
			return err
		}
		w.mu.Lock()
		w.pings++
	case "PONG":
		w.keep([]byte("PONG\n"))
		w.mu.Lock()
		w.pongs++
	default:
		w.keep([]byte(line + "\n"))
		w.mu.Lock()
	}
	w.tell()
	w.mu.Unlock()
	return nil
}

// took keeps a message: its subject, subscription, reply, header and payload,
// without the sizes.
func (w *wire) took(verb string, f []string) error {
	sizes := 1
	if verb == "HMSG" {
		sizes = 2
	}
	if len(f) < 2+sizes {
		return fmt.Errorf("message of %d fields", len(f))
	}
	total, err := strconv.Atoi(f[len(f)-1])
	if err != nil {
		return err
	}
	body := make([]byte, total+2)
	if _, err := io.ReadFull(w.r, body); err != nil {
		return err
	}
	body = body[:total]
	m := message{subject: f[0]}
	if len(f) == 3+sizes {
		m.reply = f[2]
	}
	if verb == "HMSG" {
		n, err := strconv.Atoi(f[len(f)-2])
		if err != nil || n > total {
			return fmt.Errorf("header of %s bytes", f[len(f)-2])
		}
		m.header, body = ordered(string(body[:n])), body[n:]
	}
	m.data = body
	text := bytes.NewBufferString(verb + " " + strings.Join(f[:len(f)-sizes], " ") + "\n" + m.header + "\n")
	text.Write(m.data)
	text.WriteByte('\n')
	w.keep(text.Bytes())
	w.mu.Lock()
	w.heard[f[1]] = append(w.heard[f[1]], m)
	w.tell()
	w.mu.Unlock()
	return nil
}

// ordered is a header with its lines in order: a client writes them in the order
// of a Go map.
func ordered(header string) string {
	lines := strings.Split(strings.TrimRight(header, "\r\n"), "\r\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n") + "\n"
}

// until waits for a condition on what came. mu is held while it is asked.
func (w *wire) until(what string, cond func() bool) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		w.mu.Lock()
		ok, ended, news := cond(), w.ended, w.news
		w.mu.Unlock()
		switch {
		case ok:
			return nil
		case ended != nil:
			return fmt.Errorf("wait for %s: %w", what, ended)
		}
		select {
		case <-news:
		case <-limit.C:
			return fmt.Errorf("wait for %s: nothing for %s", what, patience)
		}
	}
}

// flush returns when the server has taken everything sent, and what it says of
// that has come: refusals stand before the answer to a ping.
func (w *wire) flush() error {
	w.mu.Lock()
	want := w.pongs + 1
	w.mu.Unlock()
	if err := w.send("PING\r\n"); err != nil {
		return err
	}
	return w.until("a pong", func() bool { return w.pongs >= want })
}

// subscribe returns the number of the subscription.
func (w *wire) subscribe(subject string) (string, error) {
	w.mu.Lock()
	w.sids++
	sid := strconv.Itoa(w.sids)
	w.mu.Unlock()
	return sid, w.send("SUB " + subject + " " + sid + "\r\n")
}

func (w *wire) publish(subject, reply string, data []byte) error {
	if reply != "" {
		reply = " " + reply
	}
	return w.send("PUB " + subject + reply + " " + strconv.Itoa(len(data)) + "\r\n" + string(data) + "\r\n")
}

// ask opens an inbox and publishes with it. answers waits for so many.
func (w *wire) ask(subject string, data []byte) (sid string, err error) {
	w.mu.Lock()
	w.asked++
	reply := w.inbox + "." + strconv.Itoa(w.asked)
	w.mu.Unlock()
	if sid, err = w.subscribe(reply); err != nil {
		return "", err
	}
	return sid, w.publish(subject, reply, data)
}

func (w *wire) answers(sid string, n int) ([]message, error) {
	var out []message
	err := w.until(fmt.Sprintf("%d answers", n), func() bool {
		out = w.heard[sid]
		return len(out) >= n
	})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	delete(w.heard, sid)
	w.mu.Unlock()
	return out, w.send("UNSUB " + sid + "\r\n")
}

// request asks and waits for the one answer.
func (w *wire) request(subject string, data []byte) (message, error) {
	sid, err := w.ask(subject, data)
	if err != nil {
		return message{}, err
	}
	list, err := w.answers(sid, 1)
	if err != nil {
		return message{}, fmt.Errorf("%s: %w", subject, err)
	}
	return list[0], nil
}
