package natsd_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// broken is a data directory with one message in REPORTS of le, after damage was
// done to the folder of a stream.
func broken(t *testing.T, stream string, damage func(dir string) error) (dir, streamDir string) {
	t.Helper()
	dir = t.TempDir()
	b, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.Root()))
	if err != nil {
		t.Fatal(err)
	}
	js := rootOf(t, b)
	s, err := js.Stream(t.Context(), subject.Reports)
	if err == nil {
		in := strings.TrimSuffix(s.CachedInfo().Config.Subjects[0], ">") // its inlet
		_, err = js.Publish(t.Context(), in+messageSubject, []byte("kept"))
	}
	b.Close()
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := filepath.Glob(filepath.Join(dir, "data", "store", "jetstream", "*", "streams", subject.Reports, "msgs", "*.blk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, blk := range dirs {
		if info, err := os.Stat(blk); err == nil && info.Size() > 0 {
			streamDir = filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(blk))), stream)
		}
	}
	if streamDir == "" {
		t.Fatal("no stream holds the message")
	}
	if err := damage(streamDir); err != nil {
		t.Fatal(err)
	}
	return dir, streamDir
}

var messageSubject = subject.Stored{
	Submission: subject.Submission{Status: wf.Status_STATUS_TEST, Kind: wf.Kind_KIND_INCIDENT, State: "ms", County: "28049", Agency: "fbi"},
	Sides:      "le", Level: "cui", Cell: "le",
}.String()

func rootOf(t *testing.T, b *broker.Broker) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, "le")))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func messages(t *testing.T, b *broker.Broker, stream string) uint64 {
	t.Helper()
	s, err := rootOf(t, b).Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// What a power cut or a kill leaves unfinished does not cost what is finished:
// the server by itself deletes the stream in the first case, and panics in the
// last two.
func TestUnfinishedStreamsAreMended(t *testing.T) {
	emptied := func(file string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, file), nil, 0o600) }
	}
	for _, c := range []struct {
		name, stream string
		damage       func(string) error
	}{
		{"a block was begun and has no key", subject.Reports, emptied("msgs/9.blk")},
		{"the key of frames is not on disk", subject.SnapshotStream(wf.Status_STATUS_ACTUAL), emptied("meta.key")},
		{"the description of frames is not on disk", subject.SnapshotStream(wf.Status_STATUS_ACTUAL), emptied("meta.sum")},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _ := broken(t, c.stream, c.damage)
			b := brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.Root())
			if n := messages(t, b, subject.Reports); n != 1 {
				t.Errorf("%d messages are left of one", n)
			}
			if n := messages(t, b, c.stream); c.stream != subject.Reports && n != 0 {
				t.Errorf("the stream that was made anew has %d messages", n)
			}
		})
	}
}

// Reports that cannot be read end the start, with everything where it was: put
// right, it is all there.
func TestDamagedReportsEndTheStart(t *testing.T) {
	for _, c := range []struct {
		name          string
		damage, amend func(dir string) error
	}{
		{"the description is not whole",
			func(dir string) error {
				return os.Rename(filepath.Join(dir, "meta.sum"), filepath.Join(dir, "meta.was"))
			},
			func(dir string) error {
				return os.Rename(filepath.Join(dir, "meta.was"), filepath.Join(dir, "meta.sum"))
			}},
		{"a block has lost its key",
			func(dir string) error {
				return os.Rename(filepath.Join(dir, "msgs/1.key"), filepath.Join(dir, "1.was"))
			},
			func(dir string) error {
				return os.Rename(filepath.Join(dir, "1.was"), filepath.Join(dir, "msgs/1.key"))
			}},
		{"the server deletes what it cannot make out",
			func(dir string) error {
				return errors.Join(os.Mkdir(filepath.Join(dir, "msgs/9.key"), 0o700), os.WriteFile(filepath.Join(dir, "msgs/9.blk"), []byte("x"), 0o600),
					os.Remove(filepath.Join(dir, "msgs/index.db")))
			},
			func(dir string) error {
				return errors.Join(os.RemoveAll(filepath.Join(dir, "msgs/9.blk")), os.RemoveAll(filepath.Join(dir, "msgs/9.key")))
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, streamDir := broken(t, subject.Reports, c.damage)
			if _, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.Root())); !errors.Is(err, natsd.ErrDamaged) {
				t.Fatalf("got %v, want %v", err, natsd.ErrDamaged)
			}
			if err := c.amend(streamDir); err != nil {
				t.Fatal(err)
			}
			b := brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.Root())
			if n := messages(t, b, subject.Reports); n != 1 {
				t.Errorf("%d messages are left of one", n)
			}
		})
	}
}
