// Package api is the HTTP face of one cell: its picture as JSON and GeoJSON,
// one situation with its explanation, live changes as server-sent events,
// health and metrics, and the analyst's page.
//
// It is not a filter: whoever holds a token of the cell reads its whole
// picture, and there is one listener per cell, so that nothing of another cell
// is in reach. It writes nothing and knows no broker: pictures come to it as
// followed snapshots.
package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/access"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Reader is whom a token belongs to. The zero value is nobody, and one that
// lacks anything but its limits is not let in.
type Reader struct {
	Name string
	// Kind is person or service.
	Kind string
	// Purpose is what the token is for.
	Purpose string
	// Token is the id of the token.
	Token   string
	Expires time.Time
	Limits  Limits
}

// Source is a followed picture; snapshot.Follower is one.
type Source interface {
	Read(func(*snapshot.Picture))
	Watch(func(snapshot.Update)) (stop func())
	Live() (bool, time.Time)
}

// Feed is an agency heard in a cell.
type Feed struct{ Cell, Agency string }

// Config of a cell's server. Cell, Label, Verify, Record and Sources are required.
type Config struct {
	Cell  string
	Label label.Label
	// Verify says whose token it is. Any error denies; its text is not sent.
	Verify func(token string) (Reader, error)
	// Record keeps who reads what and why; access.Log does. It returns when the
	// record is kept: what cannot be recorded is not answered.
	Record func(context.Context, access.Record) error
	// Hosts are the names by which browsers know the listener, beside addresses
	// and localhost.
	Hosts []string
	// Sources are the pictures of the cell, by status.
	Sources map[wf.Status]Source
	// Past is what the pictures were; without it as_of is not answered.
	Past Past
	// Console is the page at /; without it / is not found.
	Console http.Handler
	// Expect is how often a feed is heard when all is well.
	Expect map[Feed]time.Duration
	// Health is what else must be well, such as certificates; nil is nothing.
	Health func() error
	// Collectors are further metrics of this cell.
	Collectors []prometheus.Collector
	Version    string
	Now        func() time.Time
	Log        *zap.Logger
}

// Server serves one cell.
type Server struct {
	Config
	views   map[wf.Status]*view
	handler http.Handler
	metrics *metrics
	closing chan struct{}
	once    sync.Once

	limits    *limiter
	strangers *strangers

	// How often an event stream says that it lives, is looked at whether its
	// token holds, and is recorded to be read still.
	pingEvery, checkEvery, recordEvery time.Duration
}

// New checks the configuration and begins to watch the sources. Close stops that.
func New(c Config) (*Server, error) {
	switch {
	case !subject.Word(c.Cell):
		return nil, fmt.Errorf("api: %q is no cell", c.Cell)
	case c.Label.IsZero():
		return nil, fmt.Errorf("api %s: the cell has no label", c.Cell)
	case c.Verify == nil:
		return nil, fmt.Errorf("api %s: Verify is required", c.Cell)
	case c.Record == nil:
		return nil, fmt.Errorf("api %s: Record is required: what is read must be recorded", c.Cell)
	case len(c.Sources) == 0:
		return nil, fmt.Errorf("api %s: no picture to serve", c.Cell)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	s := &Server{
		Config: c, views: map[wf.Status]*view{}, limits: newLimiter(c.Now), strangers: newStrangers(c.Now), closing: make(chan struct{}),
		pingEvery: pingEvery, checkEvery: checkEvery, recordEvery: recordEvery,
	}
	for status, src := range c.Sources {
		if src == nil || subject.StatusToken(status) == "" {
			return nil, fmt.Errorf("api %s: status %v has no picture", c.Cell, status)
		}
		s.views[status] = newView(src, c.Now)
	}
	var err error
	if s.metrics, err = newMetrics(s); err != nil {
		s.Close()
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// Handler is everything the server serves.
func (s *Server) Handler() http.Handler { return s.handler }

// Close ends every event stream and stops watching the sources.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closing)
		for _, v := range s.views {
			v.stop()
		}
	})
}

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = time.Minute
	shutdownTimeout   = 5 * time.Second
	maxHeader         = 16 << 10
)

// server has a limit for everything that a client may be slow or long with.
func (s *Server) server() *http.Server {
	return &http.Server{
		Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ConnState: newConnections().changed,
		ErrorLog: zap.NewStdLog(s.Log.WithOptions(zap.IncreaseLevel(zap.WarnLevel))),
	}
}

// Serve serves without TLS on l, which listens on loopback, until ctx ends;
// then it ends the event streams, lets requests in progress finish for a few
// seconds, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if !transport.LoopbackAddr(l.Addr()) {
		return errors.Join(fmt.Errorf("serve %s on %s: %w", s.Cell, l.Addr(), transport.ErrPlain), l.Close())
	}
	return s.serve(ctx, l)
}

// ServeTLS is Serve with TLS, on any address. conf has a certificate.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener, conf *tls.Config) error {
	return s.serve(ctx, tls.NewListener(l, conf))
}

func (s *Server) serve(ctx context.Context, l net.Listener) error {
	srv := s.server()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		s.Close()
		return fmt.Errorf("serve %s: %w", s.Cell, err)
	case <-ctx.Done():
	}
	s.Close()
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(sctx); err != nil {
		if cerr := srv.Close(); cerr != nil {
			s.Log.Warn("close listener", zap.Error(cerr))
		}
	}
	if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.Cell, err)
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.health)
	mux.Handle("/metrics", s.recorded(s.metrics.handler.ServeHTTP))
	mux.Handle("/v1/cell", s.recorded(s.cell))
	mux.Handle("/v1/snapshot", s.recorded(s.snapshot))
	mux.Handle("/v1/snapshot.geojson", s.recorded(s.geojson))
	mux.Handle("/v1/situations/{id}", s.recorded(s.situation))
	mux.Handle("/v1/events", s.private(s.events))
	mux.Handle("/v1/replay", s.recorded(s.replay))
	// Of what there is not nothing is read.
	mux.Handle("/v1", s.private(notFound))
	mux.Handle("/v1/", s.private(notFound))
	if s.Console != nil {
		mux.Handle("/", s.Console)
	} else {
		mux.HandleFunc("/", notFound)
	}
	return s.guard(mux)
}

// health says whether every picture is live and all else is well, not what is
// not: it needs no token.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	status, code := "ok", http.StatusOK
	for _, src := range s.Sources {
		if live, _ := src.Live(); !live {
			status, code = "degraded", http.StatusServiceUnavailable
		}
	}
	if s.Health != nil {
		if s.Health() != nil {
			status, code = "degraded", http.StatusServiceUnavailable
		}
	}
	writeJSON(w, code, map[string]string{"status": status})
}
