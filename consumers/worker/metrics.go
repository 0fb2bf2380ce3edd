package worker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Metrics of one worker. They speak of one cell and belong into that cell's
// registry, nowhere else.
type Metrics struct {
	revision, situations, reports, setAside, tick, recovery prometheus.Gauge
	leads, recoveryDone, recoveryTotal, stalled, behind     prometheus.Gauge
	pending, aside                                          *prometheus.GaugeVec
	frames, keyframes, changes, failures                    prometheus.Counter
	restarts, mismatches, fenced, panics                    prometheus.Counter
	takeovers, replicas                                     prometheus.Counter
	records                                                 *prometheus.CounterVec
	byEvent                                                 map[string]prometheus.Counter // of records; one worker's, one goroutine's
	commit                                                  prometheus.Histogram
}

// NewMetrics makes the metrics of a cell's worker of one status.
func NewMetrics(cell string, status wf.Status) *Metrics {
	labels := prometheus.Labels{"cell": cell, "status": subject.StatusToken(status)}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_picture_" + name, Help: help, ConstLabels: labels})
	}
	count := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "watchfloor_worker_" + name, Help: help, ConstLabels: labels})
	}
	return &Metrics{
		byEvent:    map[string]prometheus.Counter{},
		revision:   gauge("revision", "Revision last committed."),
		situations: gauge("situations", "Situations in the picture."),
		reports:    gauge("reports", "Live reports in the picture."),
		setAside:   gauge("reports_set_aside", "Stored reports that could not be read or correlated."),
		tick:       gauge("tick_seconds", "The engine's time, in seconds since 1970."),
		recovery:   gauge("recovery_seconds", "How long the last recovery took."),
		aside: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "watchfloor_worker_set_aside_records", ConstLabels: labels,
			Help: "Stored records set aside, by why; the log names cell and sequence of each."}, []string{"why"}),
		recoveryDone: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_worker_recovery_records", ConstLabels: labels,
			Help: "Stored records read again by the last recovery."}),
		recoveryTotal: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_worker_recovery_records_expected", ConstLabels: labels,
			Help: "Stored records that the last recovery has to read."}),
		leads: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_worker_leads", ConstLabels: labels,
			Help: "1 while this worker publishes the picture, 0 while it stands by or recovers."}),
		stalled: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_worker_stalled_seconds", ConstLabels: labels,
			Help: "How long the commit under way has been failing; 0 when none is. Reports wait in their streams meanwhile."}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{Name: "watchfloor_worker_clock_behind_seconds", ConstLabels: labels,
			Help: "How far the clock stands behind the picture's time, which waits for it; 0 when it does not."}),
		takeovers: count("takeovers_total", "Times this worker took the picture over from another."),
		replicas:  count("replica_mismatches_total", "Frames of the publishing worker whose picture a standby did not find itself."),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "watchfloor_worker_pending_reports",
			Help: "Stored records not yet read, by the cell that stores them.", ConstLabels: labels}, []string{"from"}),
		frames:     count("frames_total", "Frames committed."),
		keyframes:  count("keyframes_total", "Keyframes committed."),
		changes:    count("changes_total", "Situations changed or removed by frames."),
		failures:   count("commit_failures_total", "Commits that were not stored at the first try."),
		restarts:   count("restarts_total", "Times the worker began again."),
		mismatches: count("digest_mismatches_total", "Recoveries and takeovers whose picture was not the published one."),
		fenced:     count("fenced_total", "Times another worker took over."),
		panics:     count("engine_panics_total", "Times the engine broke."),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "watchfloor_worker_records_total",
			Help: "Stored records read, by what they are.", ConstLabels: labels}, []string{"event"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "watchfloor_worker_commit_seconds",
			Help: "Time to commit a frame durably.", ConstLabels: labels,
			Buckets: []float64{.00025, .0005, .001, .002, .004, .008, .016, .032, .064, .128, .256, .512, 1, 2, 4}}),
	}
}

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.revision, m.situations, m.reports, m.setAside, m.tick, m.recovery, m.pending, m.frames, m.keyframes, m.changes,
		m.failures, m.restarts, m.mismatches, m.fenced, m.panics, m.records, m.commit,
		m.leads, m.aside, m.stalled, m.behind, m.recoveryDone, m.recoveryTotal, m.takeovers, m.replicas,
	}
}

// Describe is for a registry.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(ch)
	}
}

// Collect is for a registry.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(ch)
	}
}

func (m *Metrics) committed(f *wf.Frame, took time.Duration) {
	m.revision.Set(float64(f.GetRevision()))
	m.situations.Set(float64(f.GetSituations()))
	m.reports.Set(float64(f.GetReports()))
	m.setAside.Set(float64(f.GetSetAside()))
	m.tick.Set(float64(f.GetTick().GetSeconds()))
	m.frames.Inc()
	m.changes.Add(float64(len(f.GetChanges())))
	m.commit.Observe(took.Seconds())
}

func (m *Metrics) lag(sources []*source) {
	waiting := map[string]uint64{}
	for _, s := range sources {
		waiting[s.cell] += s.pending.Load()
	}
	for cell, n := range waiting {
		m.pending.WithLabelValues(cell).Set(float64(n))
	}
}

// record counts one stored record by what it is.
func (m *Metrics) record(event string) {
	c := m.byEvent[event]
	if c == nil {
		c = m.records.WithLabelValues(event)
		m.byEvent[event] = c
	}
	c.Inc()
}
