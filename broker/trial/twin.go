package trial

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/internal/unlock"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// twin is a broker of the same policy that holds nothing: in a folder that goes
// with it, with keys of its own, one of which may do everything.
type twin struct {
	*broker.Broker
	dir string
}

func openTwin(ctx context.Context, p *policy.Policy) (*twin, error) {
	dir, err := os.MkdirTemp("", "watchfloor-trial-")
	if err != nil {
		return nil, err
	}
	b, err := broker.Open(ctx, broker.Config{
		Policy: p, DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"), Port: -1, LazySync: true, Unlock: unlock.Cut(),
	})
	if err != nil {
		_ = os.RemoveAll(dir) // the start's error is the one to tell
		return nil, err
	}
	return &twin{b, dir}, nil
}

func (t *twin) close() {
	t.Close()
	_ = os.RemoveAll(t.dir) // a temporary folder: what stays is the system's to clean
}

// account is the public key of a cell's account.
func (t *twin) account(cell string) (string, error) {
	c, err := t.Issue(account.Request{Principal: account.API(), Cell: cell, User: user})
	if err != nil {
		return "", err
	}
	claims, err := jwt.DecodeUserClaims(c.JWT)
	if err != nil {
		return "", fmt.Errorf("read account of %s: %w", cell, err)
	}
	return claims.IssuerAccount, nil
}

// root signs in with all rights in a cell.
func (t *twin) root(cell string) (*client, error) {
	cred, err := t.Issue(account.Request{Principal: account.Root(), Cell: cell, User: user})
	if err != nil {
		return nil, err
	}
	return dial(cred)
}

// plant stores in every cell of the twin what only it holds: in the bytes and
// in the subjects of a report, of a record of a refusal and of a frame, and of
// a report that its originator lets nobody above read.
func (t *trial) plant(ctx context.Context) error {
	for _, c := range t.world.Cells {
		open, controlled := secret{cell: c.Name, text: newSecret()}, secret{cell: c.Name, text: newSecret(), controlled: true}
		frame := subject.Frame(wf.Status_STATUS_ACTUAL, 1)
		at := func(stream string) subject.Inlet { return t.twin.Inlet(c.Name, stream) }
		reports, picture := at(subject.Reports), at(subject.SnapshotStream(wf.Status_STATUS_ACTUAL))
		k, err := t.twin.root(c.Name)
		if err != nil {
			return err
		}
		for _, s := range []string{reports.Of(secretReport(c.Name, c.Label, open.text)), at(subject.Refusals).Of(subject.Refusal(c.Name, open.text)), picture.Of(frame + "." + open.text), picture.Of(frame)} {
			if err == nil {
				_, err = k.nc.RequestWithContext(ctx, s, []byte(open.text))
			}
		}
		if err == nil {
			_, err = k.nc.RequestWithContext(ctx, reports.Of(secretControlled(c.Name, c.Label, controlled.text)), []byte(controlled.text))
		}
		k.close()
		if err != nil {
			return fmt.Errorf("plant in %s: %w", c.Name, err)
		}
		t.secrets = append(t.secrets, open, controlled)
	}
	return nil
}

func newSecret() string {
	id := make([]byte, 6)
	_, _ = rand.Read(id) // never fails: package crypto/rand ends the program first
	return "secret-" + hex.EncodeToString(id)
}

func secretControlled(cell string, l label.Label, text string) string {
	s := subject.Submission{Status: wf.Status_STATUS_ACTUAL, Kind: wf.Kind_KIND_INCIDENT, State: subject.None, County: subject.None, Agency: text}
	return subject.StoredOf(s, cell, l, &wf.Label{Controls: []wf.Control{wf.Control_CONTROL_ORCON}}).String()
}

func secretReport(cell string, l label.Label, secret string) string {
	s := subject.Submission{Status: wf.Status_STATUS_ACTUAL, Kind: wf.Kind_KIND_INCIDENT, State: subject.None, County: subject.None, Agency: secret}
	return subject.StoredOf(s, cell, l, &wf.Label{}).String()
}

// controls makes every call with all rights, so that none counts as refused
// that is only misspelt.
func (t *trial) controls(cell string, calls []call) error {
	k, err := t.twin.root(cell)
	if err != nil {
		return err
	}
	defer k.close()
	for at := 0; at < len(calls); at += batch {
		chunk := calls[at:min(at+batch, len(calls))]
		answers, err := k.try(t.put(chunk, "twin"))
		if err != nil {
			return err
		}
		for i, a := range answers {
			t.sum.Controls++
			text := a.text
			switch {
			case a.refused:
				text = ""
			case a.text == "nothing" && !chunk[i].silent:
				text = ""
			case a.text == "nothing":
				text = "taken"
			}
			switch text {
			case "":
			case nobody:
				t.sum.Nobody++
			default:
				t.sum.Worked++
			}
			t.control[cell+" "+chunk[i].key()] = text
		}
	}
	return nil
}

// effective shows on a stream made for it that the requests which change or
// destroy do so with rights: their harmless forms were refused for nothing else.
func (t *trial) effective(ctx context.Context) error {
	for _, c := range t.world.Cells {
		k, err := t.twin.root(c.Name)
		if err != nil {
			return err
		}
		err = t.effects(ctx, k, c.Name)
		k.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// scratch is the stream that is made and taken away again.
const scratch = "SCRATCH"

func (t *trial) effects(ctx context.Context, k *client, cell string) error {
	stream := map[string]any{"name": scratch, "subjects": []string{"scratch.>"}, "storage": "memory", "retention": "limits", "discard": "old", "allow_direct": true,
		"max_msgs": -1, "max_bytes": -1, "max_consumers": -1, "num_replicas": 1, "max_age": 0}
	consumer := map[string]any{"stream_name": scratch, "config": map[string]any{"name": "c", "durable_name": "c", "ack_policy": "explicit", "deliver_policy": "all"}}
	for _, step := range []struct {
		subject string
		body    any
	}{
		{"$JS.API.STREAM.CREATE." + scratch, stream},
		{"scratch.a", "one"}, {"scratch.b", "two"},
		{"$JS.API.STREAM.UPDATE." + scratch, stream},
		{"$JS.API.STREAM.INFO." + scratch, nil},
		{"$JS.API.STREAM.MSG.GET." + scratch, map[string]any{"seq": 1}},
		{"$JS.API.DIRECT.GET." + scratch, map[string]any{"seq": 1}},
		{"$JS.API.DIRECT.GET." + scratch + ".scratch.a", nil},
		{"$JS.API.CONSUMER.CREATE." + scratch + ".c", consumer},
		{"$JS.API.CONSUMER.INFO." + scratch + ".c", nil},
		{"$JS.API.CONSUMER.MSG.NEXT." + scratch + ".c", map[string]any{"batch": 1, "no_wait": true}},
		{"$JS.ACK." + scratch + ".c.1.1.1.1.0", "+NXT"},
		{"$JS.API.CONSUMER.PAUSE." + scratch + ".c", map[string]any{}},
		{"$JS.API.CONSUMER.RESET." + scratch + ".c", map[string]any{"seq": 1}},
		{"$JS.API.CONSUMER.DELETE." + scratch + ".c", nil},
		{"$JS.API.STREAM.SNAPSHOT." + scratch, map[string]any{"deliver_subject": "scratch-snapshot"}},
		{"$JS.API.STREAM.MSG.DELETE." + scratch, map[string]any{"seq": 1}},
		{"$JS.API.STREAM.PURGE." + scratch, nil},
		{"$JS.API.STREAM.DELETE." + scratch, nil},
	} {
		t.sum.Controls++
		m, err := k.nc.RequestWithContext(ctx, step.subject, bytesOf(step.body))
		if err != nil {
			return fmt.Errorf("with all rights in %s, %s: %w", cell, step.subject, err)
		}
		if failed(m) {
			return fmt.Errorf("with all rights in %s, %s: %s%.200s", cell, step.subject, m.Header.Get("Description"), m.Data)
		}
		t.sum.Worked++
	}
	return nil
}

func bytesOf(body any) []byte {
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(b)
	}
	return object(body)
}

// failed says whether JetStream's answer is an error.
func failed(m *nats.Msg) bool {
	return m.Header.Get("Status") != "" || len(m.Data) > 8 && string(m.Data[:9]) == `{"error":` || containsError(m.Data)
}
