package register

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Event is what happened.
type Event string

// The events. The zero event is none.
const (
	// Opened is the first line.
	Opened Event = "opened"
	// Issued: a credential was handed out.
	Issued Event = "issued"
	// Renewed: the same key got a later expiry.
	Renewed Event = "renewed"
	// Revoked: a credential no longer holds, from a time on.
	Revoked Event = "revoked"
	// Replaced: the signing key of a principal in a cell was replaced, and with
	// it ended everything that it had signed, listed here or not.
	Replaced Event = "replaced"
	// Effective: the broker enforces everything up to a line.
	Effective Event = "effective"
)

// Entry is one line.
type Entry struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	Event Event     `json:"event"`
	// Format stands in the first line.
	Format int `json:"format,omitempty"`
	// Key is the public key of a user, or "token-" and the number of a token.
	Key string `json:"key,omitempty"`
	// Principal as in an account: "agency/fbi".
	Principal string `json:"principal,omitempty"`
	Cell      string `json:"cell,omitempty"`
	User      string `json:"user,omitempty"`
	// Signer is the public key that signed it.
	Signer string `json:"signer,omitempty"`
	// Expires is when the credential stops to hold by itself.
	Expires time.Time `json:"expires,omitzero"`
	// From is when a revocation holds.
	From time.Time `json:"from,omitzero"`
	// By and Why say who did it and for what reason.
	By  string `json:"by,omitempty"`
	Why string `json:"why,omitempty"`
	// Upto, Dropped and Micros: the line up to which the broker enforces, how
	// many live connections it ended for it, and how long that took.
	Upto    uint64 `json:"upto,omitempty"`
	Dropped int    `json:"dropped,omitempty"`
	Micros  int64  `json:"micros,omitempty"`
	// Prev is the hash of the line before.
	Prev string `json:"prev"`
}

// line is the entry as it is written, with its hash.
func (e Entry) line(prev string) (text []byte, hash string, err error) {
	e.Prev = prev
	if err := e.check(); err != nil {
		return nil, "", err
	}
	text, err = json.Marshal(e)
	if err != nil {
		return nil, "", err
	}
	if len(text) > maxLine {
		return nil, "", fmt.Errorf("an entry of %d bytes is too long", len(text))
	}
	return append(text, '\n'), sum(text), nil
}

func sum(line []byte) string {
	h := sha256.Sum256(line)
	return hex.EncodeToString(h[:16])
}

// parse reads a line as strictly as it is written: a name that could stand for
// another in a subject is refused here too.
func parse(line []byte) (Entry, error) {
	var e Entry
	if len(line) > maxLine {
		return e, fmt.Errorf("a line of %d bytes is too long", len(line))
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, fmt.Errorf("it is no entry: %w", err)
	}
	if d.More() {
		return e, errors.New("it holds more than one entry")
	}
	return e, e.check()
}

// check refuses an entry that lacks something or says what it must not.
func (e Entry) check() error {
	if e.At.IsZero() {
		return errors.New("an entry without a time")
	}
	for _, text := range []string{e.By, e.Why} {
		if err := plain(text); err != nil {
			return err
		}
	}
	switch e.Event {
	case Opened:
		if e.Format != Version {
			return fmt.Errorf("format %d was written by another release; this one reads %d", e.Format, Version)
		}
		return nil
	case Effective:
		return nil
	case Replaced:
		return e.place()
	case Issued, Renewed:
		if e.Expires.IsZero() {
			return errors.New("a credential without an end")
		}
		if !subject.Word(e.User) {
			return fmt.Errorf("user %q is no word", e.User)
		}
		if !publicKey(e.Signer, 'A') && !e.token() {
			return fmt.Errorf("signer %q is no public key of an account", e.Signer)
		}
	case Revoked:
		if e.From.IsZero() {
			return errors.New("a revocation without a time from which it holds")
		}
	default:
		return fmt.Errorf("event %q is not known", e.Event)
	}
	if !publicKey(e.Key, 'U') && !e.token() {
		return fmt.Errorf("key %q is neither the public key of a user nor a token's number", e.Key)
	}
	return e.place()
}

// place refuses names that would be more than one name in a subject.
func (e Entry) place() error {
	kind, name, ok := strings.Cut(e.Principal, "/")
	if !ok || !subject.Word(kind) || !subject.Word(name) {
		return fmt.Errorf("principal %q is not of the form agency/fbi", e.Principal)
	}
	if !subject.Word(e.Cell) {
		return fmt.Errorf("cell %q is no word", e.Cell)
	}
	return nil
}

// TokenKey is how an HTTP token stands in the register.
func TokenKey(id string) string { return "token-" + id }

func (e Entry) token() bool {
	id, ok := strings.CutPrefix(e.Key, "token-")
	return ok && len(id) >= 8 && len(id) <= 64 && strings.Trim(id, "0123456789abcdef") == ""
}

func publicKey(s string, kind byte) bool {
	return len(s) == 56 && s[0] == kind && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// maxText bounds who and why.
const maxText = 300

// plain refuses what would disturb whoever reads the list.
func plain(text string) error {
	if len(text) > maxText || !utf8.ValidString(text) {
		return fmt.Errorf("a name or reason is at most %d bytes of text", maxText)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return errors.New("a name or reason has a character that cannot be printed")
	}
	return nil
}

// completeLines yields lines without their ends, and not a last one that has none.
func completeLines(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			i := bytes.IndexByte(data, '\n')
			if i < 0 || !yield(data[:i]) {
				return
			}
			data = data[i+1:]
		}
	}
}
