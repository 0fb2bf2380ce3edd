package spine

import (
	"fmt"
	"net"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/api"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// following is the address of the i-th listener when the first has address.
func following(address string, i int) (string, error) {
	if address == "" {
		return "", nil
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("listen on %q: %w", address, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("listen on %q: its port is no number", address)
	}
	if port > 0 {
		port += i
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// serveOutside opens the cell's listener for other machines.
func (c *cell) serveOutside(srv *api.Server, address string) error {
	if address == "" {
		return nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	keeper := c.spine.cfg.Keeper
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	host := c.spine.cfg.Advertise
	if host == "" {
		host = keeper.Host()
	}
	c.OutsideURL = "https://" + net.JoinHostPort(host, port)
	c.spine.servers.g.Go(func() error { return srv.ServeTLS(c.spine.servers.ctx, l, keeper.HTTP()) })
	return nil
}

// watchCertificates takes changed certificates as long as the spine runs.
func (s *Spine) watchCertificates() {
	if s.cfg.Keeper == nil {
		return
	}
	s.servers.g.Go(func() error {
		s.cfg.Keeper.Watch(s.servers.ctx, transport.LookEvery, func(err error) {
			if err != nil {
				s.cfg.Log.Error("certificates are not taken", zap.Error(err))
				return
			}
			s.cfg.Log.Info("certificates taken")
			s.broker.Recheck()
		})
		return nil
	})
}

// ReloadCertificates takes changed certificates now; without any it does nothing.
func (s *Spine) ReloadCertificates() (changed bool, err error) {
	if s.cfg.Keeper == nil {
		return false, nil
	}
	if changed, err = s.cfg.Keeper.Reload(); changed {
		s.broker.Recheck()
	}
	return changed, err
}

var certificateEnds = prometheus.NewDesc("watchfloor_certificate_not_after_seconds",
	"When a certificate of the listeners ends, in seconds since 1970.", []string{"role", "subject"}, nil)

// certificateMetrics shows when certificates end: the same on every listener.
type certificateMetrics struct{ keeper *transport.Keeper }

// Describe is for a registry.
func (certificateMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- certificateEnds }

// Collect is for a registry.
func (m certificateMetrics) Collect(ch chan<- prometheus.Metric) {
	seen := map[[2]string]bool{}
	for _, e := range m.keeper.Expiries() {
		if key := [2]string{e.Role, e.Subject}; !seen[key] {
			seen[key] = true
			ch <- prometheus.MustNewConstMetric(certificateEnds, prometheus.GaugeValue, float64(e.NotAfter.Unix()), e.Role, e.Subject)
		}
	}
}
