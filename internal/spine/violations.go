package spine

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchfloor/watchfloor/broker"
)

// violationMetrics shows on a cell's listener how often credentials were refused
// whose doings may be shown at its label: a reader of a higher cell who tries
// something in this one is counted there.
type violationMetrics struct {
	broker *broker.Broker
	cell   string
	total  *prometheus.Desc
}

func newViolationMetrics(b *broker.Broker, cell string) *violationMetrics {
	return &violationMetrics{b, cell, prometheus.NewDesc("watchfloor_permission_violations_total",
		"Refused attempts by credentials of this label, by action.", []string{"action"}, prometheus.Labels{"cell": cell})}
}

// Describe is for a registry.
func (v *violationMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- v.total }

// Collect is for a registry.
func (v *violationMetrics) Collect(ch chan<- prometheus.Metric) {
	for action, n := range v.broker.Violations(v.cell) {
		ch <- prometheus.MustNewConstMetric(v.total, prometheus.CounterValue, float64(n), action)
	}
}
