//go:build linux

package durability_test

import (
	"testing"
	"time"
)

// The whole broker, its guards with batches in flight and its workers with
// frames in flight, is killed under load, several times in a row, and so is a
// worker process beside it. (A guard alone: broker/admit. A frame in parts:
// internal/spine.)
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.start()
	l := newLoad(s, time.Second)
	for range times(2, 10) {
		helper := s.helper()
		l.more(200)
		helper.kill()
		l.more(100)
		s.up.kill()
		s.start()
	}
	l.more(100)
	l.stop()
	l.verify(s.stored())
	s.picture(l)
}
