package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// register: no credential that is in use ends soon.
func (e *examination) register() {
	const check = "credentials"
	if have, err := account.HasKeys(e.KeysDir); err != nil || !have {
		return
	}
	d, err := account.OpenDesk(e.KeysDir, e.DataDir, e.Now)
	var list []account.Listing
	if err == nil {
		list, err = d.List()
	}
	if err != nil {
		e.say(check, Fail, err.Error(), "bring back the register with a copy of the keys")
		return
	}
	holder := func(c account.Listing) string { return c.Principal + " in " + c.Cell + " (" + c.User + ")" }
	holds := map[string]bool{}
	for _, c := range list {
		holds[holder(c)] = holds[holder(c)] || c.State.Holds() && c.Expires.IsZero() || c.State.Holds() && c.Expires.Sub(e.Now()) > e.Soon
	}
	live := 0
	var soon, ended []string
	for _, c := range list {
		who, token := holder(c), c.Token()
		switch {
		case c.State.Holds() && c.Expires.IsZero(), c.State.Holds() && c.Expires.Sub(e.Now()) > e.Soon:
			live++
		case token || c.Expires.IsZero() || holds[who] || c.Expires.Sub(c.Issued) <= e.Soon:
			// tokens and short credentials are made to end; another one holds
		case c.State.Holds():
			soon = append(soon, fmt.Sprintf("%s ends in %s", who, days(c.Expires.Sub(e.Now()))))
		case c.State == account.Expired && e.Now().Sub(c.Expires) < 30*24*time.Hour:
			ended = append(ended, fmt.Sprintf("%s ended %s ago", who, days(e.Now().Sub(c.Expires))))
		}
	}
	const do = "issue another with \"watchfloor creds issue\" and hand it over before the old one ends"
	switch {
	case len(ended) > 0:
		e.say(check, Fail, some(sortedItems(ended))+", and nothing holds in its place", do, append(ended, soon...)...)
	case len(soon) > 0:
		e.say(check, Warn, some(sortedItems(soon)), do, soon...)
	default:
		e.say(check, OK, fmt.Sprintf("%d hold, none that is needed ends within %s", live, days(e.Soon)), "")
	}
}

// files: credentials files beside the broker are their owner's alone and hold.
func (e *examination) files() {
	const check = "credentials files"
	level, n := OK, 0
	var bad []string
	note := func(l Level, format string, args ...any) {
		level, bad = max(level, l), append(bad, fmt.Sprintf(format, args...))
	}
	err := filepath.WalkDir(e.CredsDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".creds" {
			return err
		}
		n++
		if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			note(Fail, "%s has mode %04o: others can read it", path, info.Mode().Perm())
		}
		ends, err := endOf(path)
		switch left := ends.Sub(e.Now()); {
		case err != nil:
			note(Fail, "%s: %v", path, err)
		case ends.IsZero():
		case left <= 0:
			note(Fail, "%s ended %s ago", path, days(-left))
		case left <= e.Soon:
			note(Warn, "%s ends in %s", path, days(left))
		}
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && n == 0:
		e.say(check, OK, "there are none in "+e.CredsDir, "")
	case err != nil:
		e.say(check, Fail, err.Error(), "run as the broker's user")
	case level != OK:
		e.say(check, level, some(bad), "issue anew, take away what has ended, chmod 0600 the rest", bad...)
	default:
		e.say(check, OK, fmt.Sprintf("%d, readable by their owner alone, none ends within %s", n, days(e.Soon)), "")
	}
}

// endOf reads when a credentials file stops to hold; zero: never.
func endOf(path string) (time.Time, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	token, err := jwt.ParseDecoratedJWT(data)
	if err != nil {
		return time.Time{}, err
	}
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil || claims.Expires == 0 {
		return time.Time{}, err
	}
	return time.Unix(claims.Expires, 0), nil
}

// certificates: those of the listeners for other machines do not end soon.
func (e *examination) certificates() {
	const check = "certificates"
	if e.Broker == nil || e.Broker.Certificates == nil {
		return
	}
	f := *e.Broker.Certificates
	files := []string{f.Cert}
	if f.CA != "" {
		files = append(files, f.CA)
	}
	var soon []string
	level := OK
	first := time.Time{}
	for _, path := range files {
		list, err := transport.Files{Cert: path}.Expiries("")
		if err != nil {
			level, soon = Fail, append(soon, err.Error())
			continue
		}
		for _, x := range list {
			left := x.NotAfter.Sub(e.Now())
			if first.IsZero() || x.NotAfter.Before(first) {
				first = x.NotAfter
			}
			switch {
			case left <= 0:
				level, soon = Fail, append(soon, fmt.Sprintf("%s of %s ended %s ago", x.File, x.Subject, days(-left)))
			case left <= e.Soon:
				level, soon = max(level, Warn), append(soon, fmt.Sprintf("%s of %s ends in %s", x.File, x.Subject, days(left)))
			}
		}
	}
	if info, err := os.Stat(f.Key); err != nil || info.Mode().Perm()&0o077 != 0 {
		level, soon = Fail, append(soon, strings.TrimSpace(fmt.Sprintf("the key %s is missing, or others can read it", f.Key)))
	}
	if level != OK {
		e.say(check, level, some(soon), "renew them; a running broker takes renewed files by itself", soon...)
		return
	}
	e.say(check, OK, "the first ends in "+days(first.Sub(e.Now())), "")
}
