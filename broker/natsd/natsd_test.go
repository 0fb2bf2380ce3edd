package natsd_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/proto/subject"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             error
	}{
		{"newer", "FORMAT", "watchfloor-store 2\n", natsd.ErrNewerFormat},
		{"foreign word", "FORMAT", "postgres 1\n", natsd.ErrForeignData},
		{"no number", "FORMAT", "watchfloor-store\n", natsd.ErrForeignData},
		{"empty", "FORMAT", "", natsd.ErrForeignData},
		{"zero", "FORMAT", "watchfloor-store 0\n", natsd.ErrForeignData},
		{"other files", "notes.txt", "mine", natsd.ErrForeignData},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			data := filepath.Join(dir, "data")
			if err := os.Mkdir(data, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(data, c.file)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Dir(dir))); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			entries, err := os.ReadDir(data)
			if err != nil || len(entries) != 1 {
				t.Errorf("the directory was touched: %v, %v", entries, err)
			}
		})
	}
}

func TestDataIsHeldByOne(t *testing.T) {
	dir := t.TempDir()
	brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards())
	if _, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Dir(dir))); !errors.Is(err, natsd.ErrInUse) {
		t.Errorf("got %v, want %v", err, natsd.ErrInUse)
	}
}

// T18: the server tells of a refused publish or subscription nowhere but in its log.
func TestViolationsAreRecorded(t *testing.T) {
	var mu sync.Mutex
	var got []natsd.Violation
	b := brokertest.Start(t, brokertest.WithoutGuards(), brokertest.With(func(c *broker.Config) {
		c.OnViolation = func(v natsd.Violation) {
			mu.Lock()
			defer mu.Unlock()
			if v.Connection == 0 {
				t.Error("the record has no connection")
			}
			if v.Token == "" {
				t.Error("the record does not say by which credential")
			}
			v.Connection, v.Token = 0, ""
			got = append(got, v)
		}
	}))
	c := brokertest.Credential(t, b, "fbi", "le")
	key, err := c.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	nc := brokertest.Dial(t, c)
	if err := nc.Publish("$JS.API.STREAM.NAMES", nil); err != nil {
		t.Fatal(err)
	}
	// Who tries with a word that is somebody's does not tell it to who reads the record.
	if err := nc.Publish(b.Inlet("le", subject.Reports).Of("orcon.x"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.SubscribeSync("_INBOX.>"); err != nil {
		t.Fatal(err)
	}
	if err := nc.FlushTimeout(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	want := []natsd.Violation{
		{Action: "publish", Subject: "$JS.API.STREAM.NAMES", Account: "le", User: key},
		{Action: "publish", Subject: "inlet.(word).orcon.x", Account: "le", User: key},
		{Action: "subscribe", Subject: "_INBOX.>", Account: "le", User: key},
	}
	mu.Lock()
	defer mu.Unlock()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What is stored is encrypted: its text is in no file.
func TestStoreIsEncrypted(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards())
	nc := brokertest.Connect(t, b, "guard", "le")
	const text = "in-clear-0b7d"
	if _, err := nc.Request(b.Inlet("le", subject.Refusals).Of(subject.Refusal("le", "fbi")), []byte(text), 30*time.Second); err != nil {
		t.Fatal(err)
	}
	b.Close()
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte(text)) {
			t.Errorf("%s holds it in clear", path)
		}
		return err
	})
	if err != nil || files < 30 {
		t.Errorf("looked at %d files, %v; want at least 30", files, err)
	}
}
