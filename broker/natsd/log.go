package natsd

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/internal/throttle"
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
	// Token is the user's JWT, which the server has checked; empty when the
	// connection is gone already.
	Token string
}

// Refusal is a sign-in that the server refused.
type Refusal struct {
	// Host is where it came from.
	Host string
	// User is the public key in the credential that was shown, if there was one:
	// nobody has shown that it is theirs.
	User string
}

// logger carries the server's log to zap. What names users or subjects goes to
// the violation record, never to the log.
type logger struct {
	zap     *zap.Logger
	on      func(Violation)
	out     func(r Refusal, cid uint64) // of a refused sign-in; may be nil
	denied  atomic.Uint64
	lastEnd atomic.Pointer[string]
	// Who may write the log by what it is refused fills no disk with it.
	violations, signIns throttle.Throttle
}

func newLogger(l *zap.Logger) *logger {
	return &logger{zap: l.Named("nats")}
}

func (l *logger) Noticef(string, ...any) {}
func (l *logger) Debugf(string, ...any)  {}
func (l *logger) Tracef(string, ...any)  {}

func (l *logger) Warnf(format string, args ...any) {
	_, text := said(format, args)
	l.zap.Warn("server warning", zap.String("text", trim(text)))
}

// Fatalf does not exit: whoever started the server learns of it.
func (l *logger) Fatalf(format string, args ...any) {
	text := trim(fmt.Sprintf(format, args...))
	l.lastEnd.Store(&text)
	l.zap.Error("server cannot run", zap.String("text", text))
}

func (l *logger) Errorf(format string, args ...any) {
	from, text := said(format, args)
	if v, ok := parseViolation(from, text); ok {
		l.denied.Add(1)
		if ok, left := l.violations.Take(time.Now()); ok {
			l.zap.Warn("permission denied", zap.String("action", v.Action), zap.Uint64("connection", v.Connection), zap.Uint64("left_out", left))
		}
		if l.on != nil {
			l.on(v)
		}
		return
	}
	if strings.HasPrefix(text, "authentication error") {
		l.denied.Add(1)
		if ok, left := l.signIns.Take(time.Now()); ok {
			l.zap.Warn("sign-in refused", zap.Uint64("left_out", left))
		}
		if l.out != nil {
			r, cid := parseRefusal(from)
			l.out(r, cid)
		}
		return
	}
	l.zap.Error("server error", zap.String("text", trim(text)))
}

func (l *logger) fatal() string {
	if p := l.lastEnd.Load(); p != nil {
		return *p
	}
	return ""
}

var (
	violationLine = regexp.MustCompile(`^(Publish|Subscription) Violation(?: Too Many Tokens)? - (Subject|Reply) ("(?:[^"\\]|\\.)*")`)
	// A line of a connection begins `127.0.0.1:1 - cid:5 - "v1:go:NAME" - "KEY/account/jwt:USER" - `.
	// What the client says of itself stands in the first quotes, whatever it is.
	begins = regexp.MustCompile(`^[^"]* - cid:\d+ - (?:"(?:[^"\\]|\\.)*" - ){0,2}`)
	// The last quotes are the server's own.
	whom       = regexp.MustCompile(`"A[A-Z2-7]{55}/([^/"]*)/jwt:([^/"]*)" - $`)
	connection = regexp.MustCompile(`cid:(\d+)`)
	// It is `[::1]:1` of an IPv6 address.
	comesFrom = regexp.MustCompile(`^(?:\[([0-9a-fA-F:.%a-z]{2,64})\]|([0-9.]{7,15})):\d+ - `)
)

// said is a line in two: of which connection the server says it, and what. The
// server puts the first before the format, with what the client calls itself in
// it: it is never read as one.
func said(format string, args []any) (from, text string) {
	from = begins.FindString(format)
	text = format[len(from):]
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	if from == "" {
		from = begins.FindString(text)
		text = text[len(from):]
	}
	return from, text
}

// parseRefusal returns where a refused sign-in came from, and the number of its
// connection.
func parseRefusal(from string) (r Refusal, cid uint64) {
	if m := comesFrom.FindStringSubmatch(from); m != nil {
		r.Host = m[1] + m[2]
	}
	if c := connection.FindStringSubmatch(from); c != nil {
		cid, _ = strconv.ParseUint(c[1], 10, 64) // digits by the pattern
	}
	return r, cid
}

func parseViolation(from, text string) (Violation, bool) {
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
	if c := connection.FindStringSubmatch(from); c != nil {
		v.Connection, _ = strconv.ParseUint(c[1], 10, 64) // digits by the pattern
	}
	if u := whom.FindStringSubmatch(from); u != nil {
		v.Account, v.User = u[1], u[2]
	}
	return v, true
}
