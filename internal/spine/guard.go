package spine

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/admit"
)

// guardMetrics shows the counters of a cell's own guard on that cell's
// listener, and nowhere else. A guard that was relieved starts at zero again.
type guardMetrics struct {
	broker *broker.Broker
	cell   string

	submissions, codes, commits, foreign, reports *prometheus.Desc
	commit, ack, stalled, behind                  *prometheus.Desc
}

func newGuardMetrics(b *broker.Broker, cell string) *guardMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("watchfloor_guard_"+name, help, labels, prometheus.Labels{"cell": cell})
	}
	return &guardMetrics{
		broker: b, cell: cell,
		submissions: desc("submissions_total", "Submissions by what they were answered.", "verdict"),
		codes:       desc("refusals_total", "Refusals by code; one refusal may name several.", "code"),
		commits:     desc("commits_total", "Commits by how they ended.", "outcome"),
		foreign:     desc("foreign_total", "What only an attack or a fault brings: replies outside the sender's inbox, records that no guard wrote, deliveries and answers of JetStream sent to where agencies submit.", "what"),
		reports:     desc("reports", "Identities the guard holds."),
		stalled:     desc("stalled_seconds", "For how long the store has not taken what it was given; 0 while it does."),
		behind:      desc("clock_behind_seconds", "How far the clock stands behind the last time of receipt; 0 when it does not."),
		commit:      desc("commit_seconds", "From deciding to the acknowledgement of the store."),
		ack:         desc("ack_seconds", "From receipt to the answer."),
	}
}

// Describe is for a registry.
func (g *guardMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.submissions, g.codes, g.commits, g.foreign, g.reports, g.commit, g.ack, g.stalled, g.behind} {
		ch <- d
	}
}

// Collect is for a registry.
func (g *guardMetrics) Collect(ch chan<- prometheus.Metric) {
	m := g.broker.GuardMetrics(g.cell)
	if m == nil {
		return
	}
	count := func(d *prometheus.Desc, by string, n uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), by)
	}
	count(g.submissions, "admitted", m.Admitted.Load())
	count(g.submissions, "duplicate", m.Duplicate.Load())
	count(g.submissions, "superseded", m.Superseded.Load())
	count(g.submissions, "refused", m.Refused.Load())
	count(g.submissions, "unavailable", m.Retry.Load()+m.Pushback.Load()+m.Full.Load())
	count(g.submissions, "dropped", m.Dropped.Load())
	for code, n := range m.Codes() {
		count(g.codes, string(code), n)
	}
	count(g.commits, "stored", m.Commits.Load())
	count(g.commits, "fence_lost", m.FenceLost.Load())
	count(g.commits, "unknown", m.Unknown.Load())
	count(g.foreign, "reply", m.ForeignReply.Load())
	count(g.foreign, "delivery", m.Delivered.Load())
	count(g.foreign, "answer", m.Misdirected.Load())
	count(g.foreign, "record", m.Foreign.Load())
	ch <- prometheus.MustNewConstMetric(g.reports, prometheus.GaugeValue, float64(m.Reports.Load()))
	ch <- prometheus.MustNewConstMetric(g.stalled, prometheus.GaugeValue, m.Stalled().Seconds())
	ch <- prometheus.MustNewConstMetric(g.behind, prometheus.GaugeValue, m.Behind().Seconds())
	latency(ch, g.commit, &m.CommitLatency)
	latency(ch, g.ack, &m.AckLatency)
}

func latency(ch chan<- prometheus.Metric, d *prometheus.Desc, l *admit.Latency) {
	buckets, n, sum := l.Buckets()
	ch <- prometheus.MustNewConstHistogram(d, n, sum, buckets)
}
