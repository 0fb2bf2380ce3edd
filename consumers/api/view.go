package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// keptEvents and keptChanges bound what a client may have missed and still resume.
	keptEvents  = 1024
	keptChanges = 20000
	// keptPages is how many revisions a reader may page through at once, for how long.
	keptPages  = 4
	keptPaging = 2 * time.Minute
	// queued is how many events may wait for one client.
	queued = 256
)

// view is one picture with what clients of it need: the revisions being paged
// through, the recent events, and who is listening.
type view struct {
	src  Source
	now  func() time.Time
	stop func()

	mu      sync.Mutex
	at      mark
	events  []*event // contiguous, oldest first
	changes int
	clients map[*client]bool
	paging  map[string][]*listing // by reader, so that none pages another's away
	purged  uint64
	resets  atomic.Uint64
}

// mark names a revision.
type mark struct {
	epoch    string
	revision uint64
}

// String is the mark as an event id.
func (m mark) String() string { return m.epoch + "-" + strconv.FormatUint(m.revision, 10) }

func parseMark(s string) (mark, bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return mark{}, false
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 64)
	return mark{s[:i], n}, err == nil
}

// event is one revision for clients; its text is made once, when first needed.
type event struct {
	before, after mark
	frame         *wf.Frame
	digest        [32]byte
	once          sync.Once
	text          []byte
}

// client is one event stream.
type client struct {
	events chan *event
	// lost: events were left out; the client must reset.
	lost atomic.Bool
}

func newView(src Source, now func() time.Time) *view {
	v := &view{src: src, now: now, clients: map[*client]bool{}, paging: map[string][]*listing{}}
	v.stop = src.Watch(v.update)
	return v
}

// update takes over a change of the picture. It never waits for a client.
func (v *view) update(u snapshot.Update) {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := mark{u.Picture.Epoch(), u.Picture.Revision()}
	if purged := u.Picture.Purged(); purged != v.purged {
		// What is kept of before may speak of a report that was taken out for good.
		v.purged, v.paging, v.events, v.changes = purged, map[string][]*listing{}, nil, 0
	}
	if u.Reset {
		v.at, v.events, v.changes = next, nil, 0
		for c := range v.clients {
			c.lost.Store(true)
			c.wake()
		}
		return
	}
	e := &event{before: v.at, after: next, frame: u.Frame, digest: u.Picture.Digest()}
	v.at = next
	v.events = append(v.events, e)
	v.changes += len(u.Frame.GetChanges())
	for len(v.events) > keptEvents || v.changes > keptChanges && len(v.events) > 1 {
		v.changes -= len(v.events[0].frame.GetChanges())
		v.events[0] = nil
		v.events = v.events[1:]
	}
	for c := range v.clients {
		if c.lost.Load() {
			continue
		}
		select {
		case c.events <- e:
		default:
			c.lost.Store(true)
			v.resets.Add(1)
		}
	}
}

// wake makes a waiting client look at lost.
func (c *client) wake() {
	select {
	case c.events <- nil:
	default:
	}
}

// join adds a client. It gets the events after the mark it has; when they are
// not kept any more, or it has none, it is lost from the beginning.
func (v *view) join(have mark, known bool) (c *client, missed []*event) {
	c = &client{events: make(chan *event, queued)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clients[c] = true
	if known && have == v.at {
		return c, nil
	}
	for i, e := range v.events {
		if known && e.before == have {
			return c, append(missed, v.events[i:]...)
		}
	}
	c.lost.Store(true)
	return c, nil
}

func (v *view) leave(c *client) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.clients, c)
}

// mark is the newest revision.
func (v *view) mark() mark {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.at
}

// told is of how many purges the newest revision knows.
func (v *view) told() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.purged
}

// listing is a picture of one revision, kept while somebody pages through it.
type listing struct {
	at         mark
	tick       time.Time
	digest     [32]byte
	reports    uint64
	setAside   uint64
	situations []*wf.Situation
	feeds      []*wf.FeedHealth
	purged     uint64
	asOf       *asOfBody // of an earlier time
	used       time.Time
}

// when is the time that the listing is of.
func (l *listing) when(now func() time.Time) time.Time {
	if l.asOf != nil {
		return l.asOf.at
	}
	return now()
}

// list is the newest revision for a reader.
func (v *view) list(reader string) *listing {
	var l *listing
	at := v.mark()
	if l = v.kept(reader, at); l != nil {
		return l
	}
	v.src.Read(func(p *snapshot.Picture) {
		l = listed(p)
	})
	return l
}

func listed(p *snapshot.Picture) *listing {
	return &listing{
		at: mark{p.Epoch(), p.Revision()}, tick: p.Tick(), digest: p.Digest(), reports: p.Reports(), setAside: p.SetAside(),
		situations: p.Situations(), feeds: p.Feeds(), purged: p.Purged(),
	}
}

// keep holds on to a listing whose next page the reader may ask for.
func (v *view) keep(reader string, l *listing) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if l.purged != v.purged {
		return // it may speak of a report that was purged while it was made
	}
	now := v.now()
	l.used = now
	kept := []*listing{l}
	for _, o := range v.paging[reader] {
		if o.at != l.at && len(kept) < keptPages {
			kept = append(kept, o)
		}
	}
	v.paging[reader] = kept
	for r, list := range v.paging {
		list = slices.DeleteFunc(list, func(o *listing) bool { return now.Sub(o.used) >= keptPaging })
		if v.paging[r] = list; len(list) == 0 {
			delete(v.paging, r)
		}
	}
}

// kept finds a listing of the reader by its revision.
func (v *view) kept(reader string, at mark) *listing {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range v.paging[reader] {
		if l.at == at && v.now().Sub(l.used) < keptPaging {
			return l
		}
	}
	return nil
}

var jsonOut = protojson.MarshalOptions{UseProtoNames: true}

// raw is a message as JSON with the names of the schema.
func raw(m proto.Message) (json.RawMessage, error) {
	data, err := jsonOut.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	return data, nil
}
