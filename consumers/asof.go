package consumers

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// WithAPI names the cell's HTTP API and a token for it, of which SnapshotAsOf
// asks: a reader's credential reads the newest picture and no older one. The
// address is https://host:port, or http:// on this machine alone.
func WithAPI(address, token string) Option {
	return func(s *settings) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("API address %q: use one like https://host:8443", address)
		}
		if u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
			return fmt.Errorf("API address %q: a token is sent in the clear on this machine alone, use https", address)
		}
		if token == "" || strings.ContainsAny(token, "\r\n ") {
			return errors.New("the API needs a token, as creds token prints it")
		}
		s.api = &pastAPI{base: strings.TrimSuffix(address, "/"), token: token, http: &http.Client{
			// A token goes nowhere but where it was meant to.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
		return nil
	}
}

// WithProgress is told now and then how many of how many records have been read
// for an answer of SnapshotAsOf, and zeros when it is there.
func WithProgress(tell func(done, total uint64)) Option {
	return func(s *settings) error {
		s.progress = tell
		return nil
	}
}

// SnapshotAsOf reads what the picture of the cell was at a time of the
// picture's own clock: what was published then, or, where that is not stored
// any more, the picture of the reports stored by then, less those purged since.
// Snapshot.AsOf says which. It waits for its turn as long as ctx allows, and
// checks the digest.
func (c *Client) SnapshotAsOf(ctx context.Context, status wf.Status, t time.Time) (*wf.Snapshot, error) {
	return c.asOf(ctx, status, t, false)
}

// ReplayAsOf is SnapshotAsOf by the stored reports alone: exactly the picture
// of those stored by t, ticked at t.
func (c *Client) ReplayAsOf(ctx context.Context, status wf.Status, t time.Time) (*wf.Snapshot, error) {
	return c.asOf(ctx, status, t, true)
}

func (c *Client) asOf(ctx context.Context, status wf.Status, t time.Time, replay bool) (*wf.Snapshot, error) {
	if c.api == nil {
		return nil, ErrNoAPI
	}
	q := url.Values{"status": {subject.StatusToken(status)}, "as_of": {t.UTC().Format(time.RFC3339Nano)}, "page_size": {"2000"}}
	if replay {
		q.Set("replay", "true")
	}
	defer c.api.watch(ctx)()
	var out *wf.Snapshot
	for {
		var page asOfPage
		if err := c.api.get(ctx, "/v1/snapshot?"+q.Encode(), &page); err != nil {
			return nil, fmt.Errorf("read the snapshot as of %s: %w", t.UTC().Format(time.RFC3339Nano), err)
		}
		var err error
		if out, err = page.addTo(out, status); err != nil {
			return nil, fmt.Errorf("read the snapshot as of %s: %w", t.UTC().Format(time.RFC3339Nano), err)
		}
		if page.Next == "" {
			break
		}
		q.Set("page_token", page.Next)
	}
	if c.cell != "" && out.GetCell() != c.cell {
		return nil, fmt.Errorf("the API is that of cell %s, not of %s: %w", out.GetCell(), c.cell, ErrNotPermitted)
	}
	if d := fusion.DigestOf(out.GetSituations()); !bytes.Equal(d[:], out.GetDigest()) {
		return nil, errors.New("read the snapshot of an earlier time: the situations are not those of its digest")
	}
	return out, nil
}

// pastAPI is a cell's HTTP API.
type pastAPI struct {
	base, token string
	http        *http.Client
	progress    func(done, total uint64)
}

// secure makes the API's connections with conf.
func (a *pastAPI) secure(conf *tls.Config) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = conf.Clone()
	a.http.Transport = t
}

// asOfPage is one page of an answer.
type asOfPage struct {
	Cell       string            `json:"cell"`
	Revision   uint64            `json:"revision,string"`
	Epoch      string            `json:"epoch"`
	Tick       *time.Time        `json:"tick"`
	Digest     string            `json:"digest"`
	Reports    uint64            `json:"reports,string"`
	SetAside   uint64            `json:"set_aside,string"`
	Situations []json.RawMessage `json:"situations"`
	Feeds      []struct {
		Cell    string     `json:"cell"`
		Agency  string     `json:"agency"`
		Last    *time.Time `json:"last_received"`
		Reports uint64     `json:"reports,string"`
	} `json:"feeds"`
	Next string `json:"next_page_token"`
	AsOf *struct {
		Time       time.Time `json:"time"`
		Origin     string    `json:"origin"`
		Checkpoint []struct {
			Cell     string `json:"cell"`
			Channel  string `json:"channel"`
			Sequence uint64 `json:"sequence,string"`
		} `json:"checkpoint"`
		Purges []struct {
			Cell   string    `json:"cell"`
			Agency string    `json:"agency"`
			Report string    `json:"report_id"`
			Purged time.Time `json:"purged"`
		} `json:"purges"`
		Removed uint64 `json:"removed_since,string"`
	} `json:"as_of"`
}

// addTo adds the page's situations to a snapshot, which the first page makes.
func (p *asOfPage) addTo(s *wf.Snapshot, status wf.Status) (*wf.Snapshot, error) {
	if s == nil {
		var err error
		if s, err = p.head(status); err != nil {
			return nil, err
		}
	}
	for _, data := range p.Situations {
		x := new(wf.Situation)
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, x); err != nil {
			return nil, fmt.Errorf("read a situation: %w", err)
		}
		s.Situations = append(s.Situations, x)
	}
	return s, nil
}

func (p *asOfPage) head(status wf.Status) (*wf.Snapshot, error) {
	digest, err := hex.DecodeString(p.Digest)
	if err != nil || p.AsOf == nil {
		return nil, errors.New("the answer is not of an earlier time: the API is of another version")
	}
	s := &wf.Snapshot{
		Cell: p.Cell, Status: status, Revision: p.Revision, Epoch: p.Epoch, Digest: digest, Reports: p.Reports, SetAside: p.SetAside,
		AsOf: &wf.AsOf{Time: timestamppb.New(p.AsOf.Time), Removed: p.AsOf.Removed, Origin: wf.Origin(wf.Origin_value["ORIGIN_"+strings.ToUpper(p.AsOf.Origin)])},
	}
	if p.Tick != nil {
		s.Tick = timestamppb.New(*p.Tick)
	}
	for _, x := range p.AsOf.Checkpoint {
		s.Checkpoint = append(s.Checkpoint, &wf.Position{Cell: x.Cell, Channel: x.Channel, Sequence: x.Sequence})
	}
	for _, x := range p.AsOf.Purges {
		s.AsOf.Purges = append(s.AsOf.Purges, &wf.Purge{Cell: x.Cell, Agency: x.Agency, ReportId: x.Report, Purged: timestamppb.New(x.Purged)})
	}
	for _, f := range p.Feeds {
		if f.Last != nil {
			s.Feeds = append(s.Feeds, &wf.FeedHealth{Cell: f.Cell, Agency: f.Agency, LastReceived: timestamppb.New(*f.Last), Reports: f.Reports})
		}
	}
	return s, nil
}

// before is ErrBefore in the words of the API, which name the first report.
type before struct{ detail string }

func (b *before) Error() string { return b.detail }
func (b *before) Unwrap() error { return ErrBefore }

const (
	// maxAnswer bounds one page that this package is willing to read.
	maxAnswer = 1 << 30
	// minRetry is how long to wait when the API does not say.
	minRetry = time.Second
)

// get asks once more for as long as the API is busy and ctx allows.
func (a *pastAPI) get(ctx context.Context, path string, into any) error {
	for {
		again, err := a.once(ctx, path, into)
		if again == 0 {
			return err
		}
		wait(ctx, again)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// once makes one request. When it is worth it to ask again, it says when.
func (a *pastAPI) once(ctx context.Context, path string, into any) (again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := a.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxAnswer)
	if resp.StatusCode == http.StatusOK {
		return 0, json.NewDecoder(body).Decode(into)
	}
	var p struct {
		Type   string `json:"type"`
		Detail string `json:"detail"`
		Field  string `json:"field"`
	}
	if err := json.NewDecoder(body).Decode(&p); err != nil {
		return 0, fmt.Errorf("the API answers %s", resp.Status)
	}
	word := p.Type[strings.LastIndexByte(p.Type, ':')+1:]
	switch {
	case word == "bad-request" && p.Field == "as_of":
		return 0, ErrFuture
	case word == "before-first-report":
		return 0, &before{p.Detail}
	case word == "replay-too-long":
		return 0, ErrTooLong
	case resp.StatusCode == http.StatusUnauthorized:
		return 0, fmt.Errorf("%w (%s)", ErrNotPermitted, p.Detail)
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable:
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil {
			after = 0
		}
		return max(time.Duration(after)*time.Second, minRetry), errors.New(p.Detail)
	}
	return 0, fmt.Errorf("the API answers %s: %s", resp.Status, p.Detail)
}

// watch tells the progress of the replay until it is stopped.
func (a *pastAPI) watch(ctx context.Context) (stop func()) {
	if a.progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			wait(ctx, 500*time.Millisecond)
			var p struct {
				Done  uint64 `json:"done,string"`
				Total uint64 `json:"total,string"`
			}
			if ctx.Err() != nil {
				return
			}
			if _, err := a.once(ctx, "/v1/replay", &p); err == nil {
				a.progress(p.Done, p.Total)
			}
		}
	}()
	return func() {
		cancel()
		<-done
		a.progress(0, 0)
	}
}
