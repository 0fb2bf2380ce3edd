package doctor_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/internal/doctor"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// A broker that is well is said to be; then one thing after another goes wrong
// with it, and each is told by the check that is for it.
func TestRunning(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	s.publish(3)
	s.standby()
	var ill []doctor.Finding
	defer func() {
		if t.Failed() {
			t.Logf("not well at the start: %+v", ill)
		}
	}()
	until(t, func() bool {
		ill = nil
		for _, f := range doctor.Examine(t.Context(), s.config()) {
			// How the test machine's clock, disk and memory are is none of our business.
			if f.Level != doctor.OK && !slices.Contains([]string{"clock", "disk space", "disk write", "staging"}, f.Check) {
				ill = append(ill, f)
			}
		}
		return len(ill) == 0
	})

	t.Run("a reader that takes nothing any more", func(t *testing.T) {
		take(t, s.consumer("watch-le", "le", subject.FeedConsumer("watch-le", "all")))
		c := s.config()
		expect(t, doctor.Examine(t.Context(), c), "readers", doctor.OK, "6 feeds, 5 of them never read")
		c.Stalled = 0
		expect(t, doctor.Examine(t.Context(), c), "readers", doctor.Warn, "feed_watch-le_all in le: 2 wait and 1 are not acknowledged")
	})
	t.Run("an agency that is silent", func(t *testing.T) {
		c := s.config()
		c.Now = func() time.Time { return time.Now().Add(time.Hour) }
		f := find(t, doctor.Examine(t.Context(), c), "feeds")
		if f.Level != doctor.Warn || len(f.Items) != 1 || f.Items[0] != "nws in open was never heard, expected every 15m0s" {
			t.Errorf("after an hour: %+v", f)
		}
		c.Now = func() time.Time { return time.Now().Add(49 * time.Hour) }
		expect(t, doctor.Examine(t.Context(), c), "feeds", doctor.Warn, "jackson-pd in le for 2 days, expected every 24h0m0s")
	})
	t.Run("a clock that was set back", func(t *testing.T) {
		c := s.config()
		c.Now = func() time.Time { return time.Now().Add(-time.Hour) }
		expect(t, doctor.Examine(t.Context(), c), "clock", doctor.Fail, "set back")
	})
	t.Run("a clock that is ahead", func(t *testing.T) {
		c := s.config()
		c.Now = func() time.Time { return time.Now().Add(time.Hour) }
		expect(t, doctor.Examine(t.Context(), c), "clock", doctor.Fail, "away from this one")
		c.Now = func() time.Time { return time.Now().Add(time.Minute) }
		expect(t, doctor.Examine(t.Context(), c), "clock", doctor.Warn, "away from this one")
	})
	t.Run("a listener that is gone", func(t *testing.T) {
		c, gone := s.config(), closedPort(t)
		c.Broker.Pages["le"] = "http://" + gone
		expect(t, doctor.Examine(t.Context(), c), "guards and pictures", doctor.Fail, "le is not answering")
		delete(c.Broker.Pages, "le")
		expect(t, doctor.Examine(t.Context(), c), "guards and pictures", doctor.Fail, "le has no listener")
	})
	t.Run("a policy that the broker has not taken", func(t *testing.T) {
		c := s.config()
		c.Policy = small(t, "1095d", "900d")
		expect(t, doctor.Examine(t.Context(), c), "streams", doctor.Fail, "le REPORTS is not as the policy wants it")
	})
	t.Run("batches staged on disk", func(t *testing.T) {
		links, err := filepath.Glob(filepath.Join(dir, "data", "store", "jetstream", "*", "streams", subject.Reports, "batches"))
		must(t, err)
		if len(links) != 3 {
			if os.Getenv("CI") == "true" {
				t.Fatal("this machine stages on disk: give /dev/shm room")
			}
			t.Skip("this machine stages on disk: give /dev/shm room")
		}
		to, err := os.Readlink(links[0])
		must(t, err)
		must(t, os.Remove(links[0]))
		expect(t, doctor.Examine(t.Context(), s.config()), "staging", doctor.Warn, "1 of 3 cells")
		must(t, os.Symlink(to, links[0]))
	})
	t.Run("a broker that cannot be reached", func(t *testing.T) {
		c := s.config()
		c.Broker.URL = "nats://" + closedPort(t)
		expect(t, doctor.Examine(t.Context(), c), "store", doctor.Fail, "sign in to")
	})
	t.Run("a broker that nobody says where it is", func(t *testing.T) {
		c := s.config()
		c.Broker = nil
		expect(t, doctor.Examine(t.Context(), c), "broker", doctor.Warn, "not said where")
	})
	t.Run("a broker that ended without a word", func(t *testing.T) {
		c := s.config()
		s.close()
		expect(t, doctor.Examine(t.Context(), c), "broker", doctor.Fail, "without a word")
	})
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// Pictures that nobody makes, that one alone makes, and that wait for a worker
// that reads on in its own cell and hangs in another.
func TestWorkers(t *testing.T) {
	s := start(t, t.TempDir(), func(c *spine.Config) { c.WithoutWorkers, c.WithoutHTTP = true, true })
	c := s.config()
	c.Stalled = 0
	expect(t, doctor.Examine(t.Context(), c), "workers", doctor.Fail, "nobody makes the picture of fused actual, le actual, open actual")

	s.publish(3)
	for _, cell := range s.policy.CellNames() {
		own := s.consumer("worker", cell, subject.Seats[0].Consumer(cell, actual, subject.Controlled))
		batch, err := own.Fetch(1, jetstream.FetchMaxWait(2*time.Minute)) // nothing comes: it waits
		must(t, err)
		_ = batch
	}
	until(t, func() bool {
		return find(t, doctor.Examine(t.Context(), c), "workers").Level == doctor.OK || find(t, doctor.Examine(t.Context(), c), "standby").Level == doctor.Warn
	})
	expect(t, doctor.Examine(t.Context(), c), "standby", doctor.Warn, "nobody stands by for fused actual")
	take(t, s.consumer("worker/fused", "le", subject.Seats[0].Consumer("fused", actual, subject.Open)))
	expect(t, doctor.Examine(t.Context(), c), "workers", doctor.Fail, "fusion_fused_actual of le: 2 wait and 1 are not acknowledged")
}

func until(t *testing.T, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never")
		}
	}
}

// A cell that comes to the end of its quota is told of before it refuses.
func TestQuota(t *testing.T) {
	p := small(t, "label: {level: CUI, sides: [LE]}}", "label: {level: CUI, sides: [LE]}, quota: 64KiB}")
	s := start(t, t.TempDir(), func(c *spine.Config) { c.Policy, c.WithoutWorkers, c.WithoutHTTP = p, true, true })
	expect(t, doctor.Examine(t.Context(), s.config()), "quota", doctor.OK, "1 cells have one")
	for range 16 {
		s.publish(4)
		if f := find(t, doctor.Examine(t.Context(), s.config()), "quota"); f.Level != doctor.OK {
			expect(t, []doctor.Finding{f}, "quota", f.Level, "le has stored ")
			return
		}
	}
	t.Error("64 reports fill no quota of 64 KiB")
}

// A folder without its broker is looked at too, and what is wrong with it told.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	expect(t, doctor.Examine(t.Context(), stopped(t, dir)), "store format", doctor.Warn, "nothing is stored")
	expect(t, doctor.Examine(t.Context(), stopped(t, dir)), "keys", doctor.Fail, "no keys")
	s := start(t, dir, func(c *spine.Config) { c.WithoutWorkers, c.WithoutHTTP = true, true })
	s.publish(2)
	s.close()
	well := doctor.Examine(t.Context(), stopped(t, dir))
	expect(t, well, "broker", doctor.Warn, "none runs")
	expect(t, well, "store", doctor.OK, "3 cells answer")
	expect(t, well, "streams", doctor.OK, "2 messages")
	for _, check := range []string{"store format", "keys", "policy", "credentials", "credentials files"} {
		expect(t, well, check, doctor.OK, "")
	}

	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, c := range []struct {
		name        string
		plant       func(t *testing.T) (undo func())
		edit        func(*doctor.Config)
		check, says string
		level       doctor.Level
	}{
		{"a newer store", rewrite(at("data", "FORMAT"), "watchfloor-store 99\n"), nil, "store format", "newer release", doctor.Fail},
		{"another's folder", rewrite(at("data", "FORMAT"), "something else\n"), nil, "store format", "other data", doctor.Fail},
		{"keys that others can read", chmod(at("keys", "keyring.json"), 0o644), nil, "keys", "mode 0644", doctor.Fail},
		{"a folder of keys that others can read", chmod(at("keys"), 0o755), nil, "keys", "mode 0755", doctor.Fail},
		{"keys that are not whole", rewrite(at("keys", "operator.jwt"), ""), nil, "store", "operator", doctor.Fail},
		{"a register that was changed", rewrite(at("keys", "register.jsonl"), "{}\n"), nil, "credentials", "", doctor.Fail},
		{"a policy that cannot be read", nothing, func(c *doctor.Config) { c.Policy, c.PolicyErr = nil, errors.New("line 3: no") }, "policy", "line 3", doctor.Fail},
		{"a policy with another label", nothing, func(c *doctor.Config) {
			c.Policy = small(t, "{level: CUI, sides: [LE]}", "{level: CONFIDENTIAL, sides: [LE]}")
		}, "policy", "label", doctor.Fail},
		{"a store that its keys do not open", func(t *testing.T) func() {
			other := t.TempDir()
			start(t, other, func(c *spine.Config) { c.WithoutWorkers, c.WithoutHTTP = true, true }).close()
			return exchange(t, at("keys"), filepath.Join(other, "keys"))
		}, nil, "store", "another key", doctor.Fail},
		{"too little room", nothing, func(c *doctor.Config) { c.Reserve = 1 << 62 }, "disk space", "free of", doctor.Warn},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer c.plant(t)()
			conf := stopped(t, dir)
			if c.edit != nil {
				c.edit(&conf)
			}
			expect(t, doctor.Examine(t.Context(), conf), c.check, c.level, c.says)
		})
	}
	for _, f := range doctor.Examine(t.Context(), stopped(t, dir)) {
		if f.Level == doctor.Fail && f.Check != "disk space" {
			t.Errorf("with everything undone: %+v", f)
		}
	}
}

func nothing(*testing.T) func() { return func() {} }

func rewrite(path, text string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		t.Helper()
		old, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return func() { must(t, os.WriteFile(path, old, 0o600)) }
	}
}

func chmod(path string, mode os.FileMode) func(*testing.T) func() {
	return func(t *testing.T) func() {
		t.Helper()
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Chmod(path, mode))
		return func() { must(t, os.Chmod(path, info.Mode().Perm())) }
	}
}

func exchange(t *testing.T, a, b string) (undo func()) {
	t.Helper()
	swap := func() {
		must(t, os.Rename(a, a+".x"))
		must(t, os.Rename(b, a))
		must(t, os.Rename(a+".x", b))
	}
	swap()
	return swap
}

// Credentials and certificates are told of before they end, and after.
func TestPapers(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, func(c *spine.Config) { c.WithoutWorkers, c.WithoutHTTP = true, true })
	c := s.config()
	keys, err := account.OpenIssuer(c.KeysDir, c.DataDir, s.policy, time.Now)
	must(t, err)
	hand := func(user string, lifetime time.Duration) {
		cred, err := keys.HandOut(account.Request{Principal: account.Agency("jackson-pd"), Cell: "le", User: user, Lifetime: lifetime}, account.Reason{By: "test"})
		must(t, err)
		cred.URL = s.Broker().ClientURL()
		_, _, err = cred.WriteFiles(filepath.Join(dir, "creds", "le"), user)
		must(t, err)
	}
	day := 24 * time.Hour
	hand("main", 30*day)
	ca, err := transport.OpenAuthority(filepath.Join(dir, "certs"), time.Now(), 365*day)
	must(t, err)
	c.Broker.Certificates = &transport.Files{Cert: filepath.Join(dir, "server.pem"), Key: filepath.Join(dir, "server.key"), CA: filepath.Join(dir, "certs", transport.AuthorityCert)}
	must(t, ca.Issue(*c.Broker.Certificates, transport.Leaf{Name: "server", Hosts: []string{"localhost"}, Server: true, From: time.Now(), Until: time.Now().Add(30 * day)}))

	at := func(after time.Duration) []doctor.Finding {
		c.Now = func() time.Time { return time.Now().Add(after) }
		return doctor.Examine(t.Context(), c)
	}
	now, soon, late := at(0), at(25*day), at(31*day)
	for _, check := range []string{"credentials", "credentials files", "certificates"} {
		expect(t, now, check, doctor.OK, "")
		expect(t, soon, check, doctor.Warn, "ends in")
		expect(t, late, check, doctor.Fail, "ended")
	}
	must(t, os.Chmod(c.Broker.Certificates.Key, 0o644))
	must(t, os.Chmod(filepath.Join(dir, "creds", "le", "main.creds"), 0o640))
	open := at(0)
	expect(t, open, "certificates", doctor.Fail, "others can read")
	expect(t, open, "credentials files", doctor.Fail, "0640")
	// Another one of the same user holds: the old one may end.
	must(t, os.RemoveAll(filepath.Join(dir, "creds")))
	hand("main", 90*day)
	expect(t, at(25*day), "credentials", doctor.OK, "")
}
