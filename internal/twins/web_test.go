package twins

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// get asks a listener over TCP and keeps its whole answer: status, headers in
// their order, and the body without the sizes of its chunks.
func get(addr, method, path, token string, tape *Recorder, headers ...string) ([]byte, error) {
	conn, r, head, err := ask(addr, method, path, token, append(headers, "Connection: close"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var body []byte
	if strings.Contains(head, "\nTransfer-Encoding: chunked\n") {
		for {
			chunk, err := readChunk(r)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			if chunk == nil {
				break
			}
			body = append(body, chunk...)
		}
	} else if body, err = io.ReadAll(r); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if tape != nil {
		tape.Keep(append([]byte(unsized(head)+"\n"), append(body, '\n')...))
	}
	return body, nil
}

// ask sends a request and reads the head of the answer, with plain line ends.
func ask(addr, method, path, token string, headers []string) (net.Conn, *bufio.Reader, string, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, nil, "", err
	}
	q := method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n"
	if token != "" {
		q += "Authorization: Bearer " + token + "\r\n"
	}
	for _, h := range headers {
		q += h + "\r\n"
	}
	if _, err := io.WriteString(conn, q+"\r\n"); err != nil {
		conn.Close()
		return nil, nil, "", err
	}
	r := bufio.NewReader(conn)
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			conn.Close()
			return nil, nil, "", fmt.Errorf("%s %s: %w", method, path, err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return conn, r, head.String(), nil
		}
		head.WriteString(line + "\n")
	}
}

// unsized drops the length of the body, which is compared itself.
func unsized(head string) string {
	i := strings.Index(head, "\nContent-Length: ")
	if i < 0 {
		return head
	}
	end := strings.IndexByte(head[i+1:], '\n')
	return head[:i] + head[i+1+end:]
}

// readChunk is one chunk of a body; nil at its end.
func readChunk(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(line), 16, 31)
	if err != nil {
		return nil, err
	}
	chunk := make([]byte, n+2)
	if _, err := io.ReadFull(r, chunk); err != nil || n == 0 {
		return nil, err
	}
	return chunk[:n], nil
}

// events is an open event stream, whose events go on a tape.
type events struct {
	conn net.Conn

	mu    sync.Mutex
	seen  map[string]bool // ids
	news  chan struct{}
	ended error
}

func listen(addr, path, token string, tape *Recorder, headers ...string) (*events, error) {
	conn, r, head, err := ask(addr, "GET", path, token, headers)
	if err != nil {
		return nil, err
	}
	tape.Keep([]byte(head))
	e := &events{conn: conn, seen: map[string]bool{}, news: make(chan struct{})}
	go e.read(r, tape)
	return e, nil
}

// read cuts the stream into events, which end with an empty line.
func (e *events) read(r *bufio.Reader, tape *Recorder) {
	var rest []byte
	for {
		chunk, err := readChunk(r)
		if err == nil && chunk == nil {
			err = io.EOF
		}
		if err != nil {
			e.mu.Lock()
			e.ended = err
			close(e.news)
			e.news = make(chan struct{})
			e.mu.Unlock()
			return
		}
		rest = append(rest, chunk...)
		for {
			end := bytes.Index(rest, []byte("\n\n"))
			if end < 0 {
				break
			}
			tape.Keep(rest[:end+2])
			e.note(string(rest[:end]))
			rest = rest[end+2:]
		}
	}
}

func (e *events) note(event string) {
	_, after, ok := strings.Cut(event, "\nid: ")
	if !ok {
		return
	}
	id, _, _ := strings.Cut(after, "\n")
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen[id] = true
	close(e.news)
	e.news = make(chan struct{})
}

// until waits for the event of a revision.
func (e *events) until(id string) error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		e.mu.Lock()
		ok, ended, news := e.seen[id], e.ended, e.news
		e.mu.Unlock()
		switch {
		case ok:
			return nil
		case ended != nil:
			return fmt.Errorf("wait for event %s: %w", id, ended)
		}
		select {
		case <-news:
		case <-limit.C:
			return fmt.Errorf("wait for event %s: nothing for %s", id, patience)
		}
	}
}
