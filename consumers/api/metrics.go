package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// metrics of one cell, in a registry of its own: what is counted in a cell has
// the cell's label, so /metrics needs a token like everything else.
type metrics struct {
	handler  http.Handler
	requests *prometheus.CounterVec
	streams  prometheus.Gauge
	resets   prometheus.Counter
	// unrecorded counts what was not answered because it could not be recorded.
	unrecorded prometheus.Counter
}

func newMetrics(s *Server) (*metrics, error) {
	labels := prometheus.Labels{"cell": s.Cell}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "watchfloor_api_requests_total",
			Help: "Requests answered, by path and status code.", ConstLabels: labels}, []string{"path", "code"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_api_streams",
			Help: "Event streams open.", ConstLabels: labels}),
		resets: prometheus.NewCounter(prometheus.CounterOpts{Name: "watchfloor_api_resets_total",
			Help: "Resets sent to event streams.", ConstLabels: labels}),
		unrecorded: prometheus.NewCounter(prometheus.CounterOpts{Name: "watchfloor_api_unrecorded_total",
			Help: "Requests refused and event streams ended because they could not be recorded.", ConstLabels: labels}),
	}
	reg := prometheus.NewRegistry()
	all := append([]prometheus.Collector{m.requests, m.streams, m.resets, m.unrecorded, &followed{s}}, s.Collectors...)
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("api %s: register metrics: %w", s.Cell, err)
		}
	}
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return m, nil
}

// request counts an answer. Patterns, not addresses: the set stays small.
func (m *metrics) request(pattern string, code int) {
	if pattern == "" {
		pattern = "none"
	}
	m.requests.WithLabelValues(strings.TrimSpace(pattern), strconv.Itoa(code)).Inc()
}

// followed collects what the followed pictures and their feeds say.
type followed struct{ s *Server }

var (
	followedRevision = prometheus.NewDesc("watchfloor_api_revision", "Revision served.", []string{"cell", "status"}, nil)
	followedLive     = prometheus.NewDesc("watchfloor_api_live", "1 when the picture served is known to be the newest.", []string{"cell", "status"}, nil)
	followedSilent   = prometheus.NewDesc("watchfloor_api_silent_feeds", "Feeds heard less often than expected.", []string{"cell", "status"}, nil)
)

// Describe is for a registry.
func (f *followed) Describe(ch chan<- *prometheus.Desc) {
	ch <- followedRevision
	ch <- followedLive
	ch <- followedSilent
}

// Collect is for a registry.
func (f *followed) Collect(ch chan<- prometheus.Metric) {
	for status, src := range f.s.Sources {
		token := subject.StatusToken(status)
		var revision float64
		silent := 0.0
		src.Read(func(p *snapshot.Picture) {
			revision = float64(p.Revision())
			for _, b := range f.s.feeds(p.Feeds(), status, f.s.Now()) {
				if b.Silent {
					silent++
				}
			}
		})
		live := 0.0
		if ok, _ := src.Live(); ok {
			live = 1
		}
		ch <- prometheus.MustNewConstMetric(followedRevision, prometheus.GaugeValue, revision, f.s.Cell, token)
		ch <- prometheus.MustNewConstMetric(followedLive, prometheus.GaugeValue, live, f.s.Cell, token)
		ch <- prometheus.MustNewConstMetric(followedSilent, prometheus.GaugeValue, silent, f.s.Cell, token)
	}
}
