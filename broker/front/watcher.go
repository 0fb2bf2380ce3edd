package front

import (
	"bytes"
	"errors"
	"fmt"
)

// maxLine is the longest command, as the server has it.
const maxLine = 4096

// watcher reads along what a client sends after its CONNECT: where a command
// ends, and that it is one that a client needs. A second CONNECT would make
// the server take the connection for another's, so it ends the connection. It
// is stricter than the server: what the two could read differently is refused.
type watcher struct {
	max  int    // payload
	left int    // bytes of a payload with its CRLF that are still to come
	part []byte // of a command whose end has not come
}

var (
	errCommand = errors.New("a command that a client does not send")
	errAgain   = errors.New("a second CONNECT")
	errPayload = errors.New("a message that does not end where it says")
)

// watch reads the next bytes. After an error the connection is to be ended.
func (w *watcher) watch(b []byte) error {
	for len(b) > 0 {
		if w.left > 0 {
			n := min(w.left, len(b))
			if err := w.payload(b[:n]); err != nil {
				return err
			}
			b = b[n:]
			continue
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			if len(w.part)+len(b) > maxLine {
				return fmt.Errorf("a command of more than %d bytes", maxLine)
			}
			w.part = append(w.part, b...)
			return nil
		}
		line := b[:end+1]
		if len(w.part) > 0 {
			line = append(w.part, line...)
			w.part = line[:0]
		}
		if err := w.command(line); err != nil {
			return err
		}
		b = b[end+1:]
	}
	return nil
}

// payload passes over bytes of a message, no more than are left of it, and
// looks at the two that end it.
func (w *watcher) payload(b []byte) error {
	if body := min(w.left-2, len(b)); body > 0 {
		w.left -= body
		b = b[body:]
	}
	for _, c := range b {
		if c != "\r\n"[2-w.left] {
			return errPayload
		}
		w.left--
	}
	return nil
}

// command reads one whole command, its CRLF included.
func (w *watcher) command(line []byte) error {
	if len(line) > maxLine || len(line) < 2 || line[len(line)-2] != '\r' {
		return errCommand
	}
	line = line[:len(line)-2]
	for _, c := range line {
		if c < ' ' && c != '\t' {
			return errCommand
		}
	}
	verb, args := line, []byte(nil)
	if i := bytes.IndexAny(line, " \t"); i >= 0 {
		verb, args = line[:i], line[i:]
	}
	switch string(verb) {
	case "PUB":
		return w.message(args, 2)
	case "HPUB":
		return w.message(args, 3)
	case "SUB", "UNSUB":
		return nil
	case "PING", "PONG":
		if len(args) > 0 {
			return errCommand
		}
		return nil
	}
	if bytes.EqualFold(verb, []byte("CONNECT")) {
		return errAgain
	}
	return errCommand
}

// message reads the arguments of a publish: so many, or one more with a reply.
// The last is the length of what follows.
func (w *watcher) message(args []byte, least int) error {
	fields, size := 0, 0
	for i := 0; i < len(args); {
		if args[i] == ' ' || args[i] == '\t' {
			i++
			continue
		}
		start := i
		for i < len(args) && args[i] != ' ' && args[i] != '\t' {
			i++
		}
		fields++
		size = number(args[start:i])
	}
	if fields != least && fields != least+1 || size < 0 {
		return errCommand
	}
	if size > w.max {
		return fmt.Errorf("a message of %d bytes; at most %d are taken", size, w.max)
	}
	w.left = size + 2
	return nil
}

// number reads digits; -1 for anything else.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 9 {
		return -1
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
