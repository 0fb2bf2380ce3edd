package front

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// inPieces feeds a watcher so many bytes at a time.
func inPieces(b []byte, size int) error {
	w := watcher{max: 64}
	for len(b) > 0 {
		n := min(size, len(b))
		if err := w.watch(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

const session = "PING\r\nSUB _INBOX.a.* 1\r\nPUB a 0\r\n\r\nPUB a b 5\r\nhello\r\nHPUB a b 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1 5\r\nPONG\r\n"

// What a client sends passes, however it is cut; what it may not send does not,
// wherever it comes and however it is cut.
func TestWatcher(t *testing.T) {
	if err := inPieces([]byte(session), len(session)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"a second CONNECT":            {"CONNECT {}\r\n", errAgain},
		"in small letters":            {"connect {}\r\n", errAgain},
		"behind a message":            {"PUB a 2\r\nhi\r\nCONNECT {}\r\n", errAgain},
		"with a tab":                  {"CONNECT\t{}\r\n", errAgain},
		"a length that hides one":     {"PUB a 2\r\nhi\r\nxCONNECT {}\r\n", errCommand},
		"a length too small":          {"PUB a 1\r\nhi\r\n", errPayload},
		"a length too large":          {"PUB a 3\r\nhi\r\nPING\r\n", errPayload},
		"no length":                   {"PUB a\r\n", errCommand},
		"a negative length":           {"PUB a -1\r\n", errCommand},
		"a length with a sign":        {"PUB a +1\r\nh\r\n", errCommand},
		"a length that overflows":     {"PUB a 18446744073709551617\r\n", errCommand},
		"too many arguments":          {"PUB a b c 1\r\nh\r\n", errCommand},
		"a header without its length": {"HPUB a 5\r\nhello\r\n", errCommand},
		"a return in a line":          {"PUB a 1\r0\r\nh\r\n", errCommand},
		"a line without return":       {"PING\n", errCommand},
		"a zero byte":                 {"SUB a\x00 1\r\n", errCommand},
		"words after PING":            {"PING CONNECT {}\r\n", errCommand},
		"a server's command":          {"INFO {}\r\n", errCommand},
		"another server's":            {"RS+ a b 1\r\n", errCommand},
		"an answer":                   {"+OK\r\n", errCommand},
		"HTTP":                        {"GET / HTTP/1.1\r\n", errCommand},
		"an empty line":               {"\r\n", errCommand},
	} {
		for _, size := range []int{1, 2, 3, 7, 1 << 10} {
			for _, before := range []string{"", session} {
				if err := inPieces([]byte(before+c.text), size); !errors.Is(err, c.want) {
					t.Errorf("%s in pieces of %d after %d bytes: got %v, want %v", name, size, len(before), err, c.want)
				}
			}
		}
	}
	for name, text := range map[string]string{"a message above the limit": "PUB a 65\r\n", "a line above the limit": "SUB " + strings.Repeat("a", maxLine)} {
		if err := inPieces([]byte(text), 100); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

// FuzzWatcher: how the bytes are cut changes nothing, and what passed holds no
// CONNECT at the beginning of a command.
func FuzzWatcher(f *testing.F) {
	f.Add([]byte(session), 3)
	f.Add([]byte("PUB a 9\r\nCONNECT x\r\nPING\r\n"), 1)
	f.Add([]byte("PUB a 2\r\nhi\r\nCONNECT {}\r\n"), 5)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		whole, cut := inPieces(b, len(b)+1), inPieces(b, 1+max(size, -size)%7)
		if fmt.Sprint(whole) != fmt.Sprint(cut) {
			t.Fatalf("whole %v, cut %v", whole, cut)
		}
		if whole == nil && hasConnect(b) {
			t.Fatal("a CONNECT passed")
		}
	})
}

// hasConnect reads the bytes again, another way, as the server would.
func hasConnect(b []byte) bool {
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		if !ok {
			return false
		}
		if len(line) >= 7 && strings.EqualFold(string(line[:7]), "CONNECT") {
			return true
		}
		b = rest
		if f := bytes.Fields(line); len(f) > 0 && strings.HasSuffix(strings.ToUpper(string(f[0])), "PUB") {
			var n int
			_, _ = fmt.Sscan(string(f[len(f)-1]), &n)
			b = b[min(n+2, len(b)):]
		}
	}
	return false
}
