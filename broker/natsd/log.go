package natsd

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Violation is a publish or subscription that the server refused. The server
// reports it nowhere but in its log, so it is read from there.
type Violation struct {
	// Action is "publish", "subscribe" or "reply".
	Action string
	// Subject that was refused.
	Subject string
	// Connection is the server's number of the connection.
	Connection uint64
	// Account is the cell's name, User the public key of the user; may be empty.
	Account string
	User    string
}

// logger carries the server's log to zap. What names users or subjects goes to
// the violation record, never to the log.
type logger struct {
	zap     *zap.Logger
	on      func(Violation)
	denied  atomic.Uint64
	lastEnd atomic.Pointer[string]
}

func newLogger(l *zap.Logger, on func(Violation)) *logger {
	return &logger{zap: l.Named("nats"), on: on}
}

func (l *logger) Noticef(string, ...any) {}
func (l *logger) Debugf(string, ...any)  {}
func (l *logger) Tracef(string, ...any)  {}

func (l *logger) Warnf(format string, args ...any) {
	l.zap.Warn("server warning", zap.String("text", trim(anonymous(fmt.Sprintf(format, args...)))))
}

// Fatalf does not exit: whoever started the server learns of it.
func (l *logger) Fatalf(format string, args ...any) {
	text := trim(fmt.Sprintf(format, args...))
	l.lastEnd.Store(&text)
	l.zap.Error("server cannot run", zap.String("text", text))
}

func (l *logger) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if v, ok := parseViolation(text); ok {
		l.denied.Add(1)
		l.zap.Warn("permission denied", zap.String("action", v.Action), zap.Uint64("connection", v.Connection))
		if l.on != nil {
			l.on(v)
		}
		return
	}
	if strings.Contains(text, "authentication error") {
		l.denied.Add(1)
		l.zap.Warn("sign-in refused")
		return
	}
	l.zap.Error("server error", zap.String("text", trim(anonymous(text))))
}

func (l *logger) fatal() string {
	if p := l.lastEnd.Load(); p != nil {
		return *p
	}
	return ""
}

var (
	violationLine = regexp.MustCompile(`(Publish|Subscription) Violation(?: Too Many Tokens)? - (Subject|Reply) ("(?:[^"\\]|\\.)*")`)
	// A line of a connection begins `127.0.0.1:1 - cid:5 - "v1:go" - "KEY/account/jwt:USER" - `.
	whom       = regexp.MustCompile(`"A[A-Z2-7]{55}/([^/"]*)/jwt:([^"]*)"`)
	connection = regexp.MustCompile(`cid:(\d+)`)
)

// anonymous takes the connection and its user off the front of a line.
func anonymous(text string) string {
	if at := whom.FindStringIndex(text); at != nil {
		return strings.TrimPrefix(text[at[1]:], " - ")
	}
	return text
}

func parseViolation(text string) (Violation, bool) {
	m := violationLine.FindStringSubmatch(text)
	if m == nil {
		return Violation{}, false
	}
	v := Violation{Action: "publish"}
	switch {
	case m[1] == "Subscription":
		v.Action = "subscribe"
	case m[2] == "Reply":
		v.Action = "reply"
	}
	var err error
	if v.Subject, err = strconv.Unquote(m[3]); err != nil {
		v.Subject = m[3]
	}
	v.Subject = subject.Wordless(v.Subject)
	if c := connection.FindStringSubmatch(text); c != nil {
		v.Connection, _ = strconv.ParseUint(c[1], 10, 64) // digits by the pattern
	}
	if u := whom.FindStringSubmatch(text); u != nil {
		v.Account, v.User = u[1], u[2]
	}
	return v, true
}
