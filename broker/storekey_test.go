package broker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/atrest"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// killEnv makes a test binary change the store key of a directory and kill
// itself after so many key files: DIR, then the number.
const killEnv = "WATCHFLOOR_ROTATE_AND_DIE"

func TestMain(m *testing.M) {
	if dir, after, ok := strings.Cut(os.Getenv(killEnv), "\n"); ok {
		n, err := strconv.Atoi(after)
		if err == nil {
			_, err = broker.RotateStoreKey(filepath.Join(dir, "data"), filepath.Join(dir, "keys"), func(done, _ int) {
				if done == n {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				}
			})
		}
		fmt.Fprintln(os.Stderr, "not killed:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// stored lists what a cell's reports are, by sequence, and how far the feeds
// that are kept on disk have come.
func stored(t *testing.T, b *broker.Broker) []string {
	t.Helper()
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, "le")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := js.Stream(ctx, subject.Reports)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for seq := s.CachedInfo().State.FirstSeq; seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(ctx, seq)
		if err != nil {
			t.Fatalf("read report %d: %v", seq, err)
		}
		sum := sha256.Sum256(m.Data)
		out = append(out, m.Subject+" "+hex.EncodeToString(sum[:]))
	}
	for c := range s.ListConsumers(ctx).Info() {
		if !c.Config.MemoryStorage {
			out = append(out, fmt.Sprintf("%s at %d", c.Name, c.AckFloor.Stream))
		}
	}
	slices.Sort(out)
	return out
}

// read lets a feed of the cell come some way.
func read(t *testing.T, b *broker.Broker, reports int) {
	t.Helper()
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, "le")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := js.Stream(ctx, subject.Reports)
	if err != nil {
		t.Fatal(err)
	}
	for c := range s.ListConsumers(ctx).Info() {
		if c.Config.MemoryStorage || c.NumPending < uint64(reports) {
			continue
		}
		feed, err := s.Consumer(ctx, c.Name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := feed.Fetch(reports)
		if err != nil {
			t.Fatal(err)
		}
		for m := range got.Messages() {
			if err := m.DoubleAck(ctx); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	t.Fatal("no feed on disk has reports")
}

// tree is every file of a directory with its bytes and mode.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		out[path] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil || len(out) < 30 {
		t.Fatalf("look at %s: %d files, %v", dir, len(out), err)
	}
	return out
}

// filled makes a store with reports in le and closes it.
func filled(t *testing.T, dir string, reports int) []string {
	t.Helper()
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	js, err := jetstream.New(brokertest.Connect(t, b, "jackson-pd", "le"))
	if err != nil {
		t.Fatal(err)
	}
	for range reports {
		publish(t, js, newReport("jackson-pd"))
	}
	read(t, b, 5)
	out := stored(t, b)
	b.Close()
	if len(out) <= reports || !slices.ContainsFunc(out, func(s string) bool { return strings.HasSuffix(s, " at 5") }) {
		t.Fatalf("stored %d reports, and: %v", reports, out)
	}
	return out
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// refuses says that a broker does not start, why, and that it touched nothing.
func refuses(t *testing.T, dir, what string, want error) {
	t.Helper()
	before := tree(t, filepath.Join(dir, "data"))
	b, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Dir(dir), brokertest.WithoutGuards()))
	if err == nil {
		b.Close()
	}
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
	if d := cmp.Diff(before, tree(t, filepath.Join(dir, "data"))); d != "" {
		t.Errorf("%s: the data was touched: %s", what, d)
	}
}

// A change of the store's key may be killed anywhere: it goes on, nothing is
// lost, and the old key opens nothing any more. Without the right key the
// broker does not start and touches nothing.
func TestStoreKeyIsChangedAndLost(t *testing.T) {
	dir := t.TempDir()
	data, keys, old := filepath.Join(dir, "data"), filepath.Join(dir, "keys"), filepath.Join(dir, "old")
	want := filled(t, dir, 40)
	copyDir(t, keys, old)
	oldKey, _, err := account.StoreKeys(old)
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []int{0, 1, 17, 40} {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%d", killEnv, dir, after))
		out, err := c.CombinedOutput()
		if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
			t.Fatalf("killed after %d files: %v: %s", after, err, out)
		}
		k, err := broker.ReadStoreKey(data, keys)
		if err != nil || k.Next == "" || k.Store.Key != k.Keyring || k.Store.Next != k.Next || !k.Fits() {
			t.Errorf("killed after %d files: %+v, %v", after, k, err)
		}
	}
	// With the keys of before, the half-changed store is not opened.
	aside(t, keys, old, func() { refuses(t, dir, "the keys of before, in the middle", atrest.ErrWrongKey) })

	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	if d := cmp.Diff(want, stored(t, b)); d != "" {
		t.Errorf("after a change that was killed four times: %s", d)
	}
	if _, err := broker.RotateStoreKey(data, keys, nil); err == nil {
		t.Error("the key was changed while a broker runs")
	}
	b.Close()
	newKey, next, err := account.StoreKeys(keys)
	if err != nil || next != "" || newKey == oldKey {
		t.Errorf("the keyring still has a change: next %v, same %v, %v", next != "", newKey == oldKey, err)
	}
	if err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".rotating") {
			t.Errorf("%s is left", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}

	aside(t, keys, old, func() { refuses(t, dir, "the keys of before", atrest.ErrWrongKey) })
	// The seal is not what keeps the old key out: the key files are.
	seal := filepath.Join(data, "KEY")
	text, err := os.ReadFile(seal)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(seal); err != nil {
		t.Fatal(err)
	}
	aside(t, keys, old, func() { refuses(t, dir, "the keys of before, without a seal", atrest.ErrWrongKey) })
	if err := os.WriteFile(seal, text, 0o600); err != nil {
		t.Fatal(err)
	}
	aside(t, keys, "", func() { refuses(t, dir, "no keys", broker.ErrKeysLost) })

	n, err := broker.RotateStoreKey(data, keys, nil)
	if err != nil || n < 40 {
		t.Errorf("again: %d files, %v", n, err)
	}
	b = brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	if d := cmp.Diff(want, stored(t, b)); d != "" {
		t.Errorf("after all: %s", d)
	}
}

// aside puts another keys directory in the place of keys, none for "", and
// takes it back.
func aside(t *testing.T, keys, other string, do func()) {
	t.Helper()
	if err := os.Rename(keys, keys+".aside"); err != nil {
		t.Fatal(err)
	}
	if other != "" {
		copyDir(t, other, keys)
	}
	do()
	if err := errors.Join(os.RemoveAll(keys), os.Rename(keys+".aside", keys)); err != nil {
		t.Fatal(err)
	}
}
