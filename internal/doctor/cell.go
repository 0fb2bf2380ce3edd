package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	answerWithin = 10 * time.Second
	// looks is how often consumers are looked at while they are watched.
	looks = 5
)

// cell is one as the broker shows it.
type cell struct {
	name      string
	at        time.Time // of the broker's clock
	skew      time.Duration
	usage     usage
	streams   map[string]*jetstream.StreamInfo
	consumers map[string]*jetstream.ConsumerInfo
	later     map[string]*jetstream.ConsumerInfo // a moment after
	busy      map[string]bool                    // consumers that somebody asks, or that move
	heard     map[string]time.Time               // agencies of the cell
	noPicture error
}

// usage of an account.
type usage struct {
	Storage uint64 `json:"storage"`
	Limits  struct {
		Max int64 `json:"max_storage"`
	} `json:"limits"`
}

// ask looks into every cell of the running broker, or of a folder that nobody
// uses.
func (e *examination) ask(ctx context.Context, there natsd.Found) {
	const check = "store"
	var err error
	switch {
	case e.Policy == nil || there.Version == 0 || there.Version > natsd.FormatVersion:
		return
	case e.Broker != nil && e.Broker.Issue == nil:
		err = errors.New("its keys cannot be used to sign in")
	case e.Broker != nil:
		e.inlets = func(cell string) func(string) subject.Inlet {
			return func(stream string) subject.Inlet { return e.Broker.Inlet(cell, stream) }
		}
		err = e.askAll(ctx, e.dial)
	case there.InUse || there.Empty:
		return
	default:
		err = backup.Offline(backup.Folder{Policy: e.Policy, DataDir: e.DataDir, KeysDir: e.KeysDir, Now: e.Now}, func(o *backup.Opened) error {
			e.inlets = o.Inlets
			return e.askAll(ctx, func(p account.Principal, cell string) (*nats.Conn, error) { return o.ConnectAs(p, cell) })
		})
	}
	if err != nil {
		e.cells = nil
		e.say(check, Fail, err.Error(), "look into the broker's log; when the store cannot be opened, restore it from a backup")
		return
	}
	e.say(check, OK, fmt.Sprintf("%d cells answer", len(e.cells)), "")
}

type dialer func(account.Principal, string) (*nats.Conn, error)

func (e *examination) dial(p account.Principal, in string) (*nats.Conn, error) {
	cred, err := e.Broker.Issue(account.Request{Principal: p, Cell: in, User: "doctor", Lifetime: time.Hour})
	if err != nil {
		return nil, err
	}
	return nats.Connect(e.Broker.URL, append(cred.Options(), nats.Name("doctor of "+in), nats.Timeout(answerWithin), nats.MaxReconnects(0))...)
}

func (e *examination) askAll(ctx context.Context, dial dialer) error {
	var conns []*nats.Conn
	defer func() {
		for _, nc := range conns {
			nc.Close()
		}
	}()
	for _, name := range e.Policy.CellNames() {
		nc, err := dial(account.Doctor(), name)
		if err != nil {
			return fmt.Errorf("sign in to %s: %w", name, err)
		}
		conns = append(conns, nc)
		c := &cell{name: name, busy: map[string]bool{}}
		if err := c.look(ctx, nc, e.Now); err != nil {
			return fmt.Errorf("cell %s: %w", name, err)
		}
		e.cells = append(e.cells, c)
	}
	if e.Broker == nil {
		return nil
	}
	if err := e.watch(ctx, conns); err != nil {
		return err
	}
	for _, c := range e.cells {
		if err := e.hear(ctx, c, dial); err != nil {
			return fmt.Errorf("cell %s: %w", c.name, err)
		}
	}
	return nil
}

// watch looks at the consumers again: once when all is busy and nothing waits,
// else for a while, for a worker asks anew now and then and is not caught
// asking at every look.
func (e *examination) watch(ctx context.Context, conns []*nats.Conn) error {
	for i := range looks {
		waiting := false
		for n, c := range e.cells {
			var err error
			if c.later, err = consumers(ctx, conns[n]); err != nil {
				return fmt.Errorf("cell %s: %w", c.name, err)
			}
			for name, x := range c.later {
				before := c.consumers[name]
				c.busy[name] = c.busy[name] || x.NumWaiting > 0 || before != nil && (before.NumWaiting > 0 || moved(before, x))
				waiting = waiting || x.NumPending > 0 || x.NumAckPending > 0
			}
		}
		if !waiting && e.allSeated() || i == looks-1 {
			return nil
		}
		select {
		case <-time.After(e.Between / (looks - 1)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (e *examination) allSeated() bool {
	for _, c := range e.cells {
		for _, status := range e.Statuses {
			if len(seated(c, status)) < len(subject.Seats) {
				return false
			}
		}
	}
	return true
}

func (c *cell) look(ctx context.Context, nc *nats.Conn, now func() time.Time) error {
	if err := request(ctx, nc, "$JS.API.INFO", nil, &c.usage); err != nil {
		return err
	}
	c.streams = map[string]*jetstream.StreamInfo{}
	began := now()
	err := pages(ctx, nc, "$JS.API.STREAM.LIST", func(data []byte) (int, error) {
		var page struct {
			Streams []*jetstream.StreamInfo `json:"streams"`
		}
		if err := json.Unmarshal(data, &page); err != nil {
			return 0, err
		}
		for _, s := range page.Streams {
			c.streams[s.Config.Name], c.at = s, s.TimeStamp
		}
		return len(page.Streams), nil
	})
	if err != nil {
		return err
	}
	// The broker looked between the question and its answer.
	if ended := now(); c.at.Before(began) {
		c.skew = c.at.Sub(began)
	} else if c.at.After(ended) {
		c.skew = c.at.Sub(ended)
	}
	if _, ok := c.streams[subject.Reports]; !ok {
		return nil
	}
	c.consumers, err = consumers(ctx, nc)
	return err
}

func consumers(ctx context.Context, nc *nats.Conn) (map[string]*jetstream.ConsumerInfo, error) {
	out := map[string]*jetstream.ConsumerInfo{}
	return out, pages(ctx, nc, "$JS.API.CONSUMER.LIST."+subject.Reports, func(data []byte) (int, error) {
		var page struct {
			Consumers []*jetstream.ConsumerInfo `json:"consumers"`
		}
		if err := json.Unmarshal(data, &page); err != nil {
			return 0, err
		}
		for _, x := range page.Consumers {
			out[x.Name] = x
		}
		return len(page.Consumers), nil
	})
}

// hear reads from the cell's picture when its agencies were last heard.
func (e *examination) hear(ctx context.Context, c *cell, dial dialer) error {
	nc, err := dial(account.API(), c.name)
	if err != nil {
		return err
	}
	defer nc.Close()
	p, err := snapshot.Load(ctx, nc, c.name, wf.Status_STATUS_ACTUAL)
	if err != nil {
		c.noPicture = err
		return nil
	}
	c.heard = map[string]time.Time{}
	for _, f := range p.Feeds() {
		if f.GetCell() == c.name {
			c.heard[f.GetAgency()] = f.GetLastReceived().AsTime()
		}
	}
	return nil
}

// pages asks for a list, page by page.
func pages(ctx context.Context, nc *nats.Conn, subj string, read func([]byte) (int, error)) error {
	for offset := 0; ; {
		var page struct {
			Total int `json:"total"`
		}
		var raw json.RawMessage
		if err := request(ctx, nc, subj, map[string]int{"offset": offset}, &raw); err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return fmt.Errorf("ask %s: %w", subj, err)
		}
		n, err := read(raw)
		if err != nil {
			return fmt.Errorf("ask %s: %w", subj, err)
		}
		if offset += n; n == 0 || offset >= page.Total {
			return nil
		}
	}
}

func request(ctx context.Context, nc *nats.Conn, subj string, body, out any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	resp, err := nc.RequestWithContext(ctx, subj, data)
	if err != nil {
		return fmt.Errorf("ask %s: %w", subj, err)
	}
	var refused struct {
		Error *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	err = json.Unmarshal(resp.Data, &refused)
	if err == nil && refused.Error != nil {
		err = errors.New(refused.Error.Description)
	}
	if err == nil {
		err = json.Unmarshal(resp.Data, out)
	}
	if err != nil {
		return fmt.Errorf("ask %s: %w", subj, err)
	}
	return nil
}
