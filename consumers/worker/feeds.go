package worker

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// feeds is when each agency was last heard in each cell, and how often.
type feeds struct {
	health  map[feed]*heard
	changed map[feed]bool
}

type feed struct{ cell, agency string }

type heard struct {
	last    time.Time
	reports uint64
}

func newFeeds() feeds {
	return feeds{map[feed]*heard{}, map[feed]bool{}}
}

// heard counts one admitted report.
func (f *feeds) heard(cell, agency string, at time.Time) {
	k := feed{cell, agency}
	h := f.health[k]
	if h == nil {
		h = &heard{}
		f.health[k] = h
	}
	h.last, h.reports = latest(h.last, at), h.reports+1
	f.changed[k] = true
}

// takeChanged lists the feeds heard since the last call.
func (f *feeds) takeChanged() []*wf.FeedHealth {
	out := make([]*wf.FeedHealth, 0, len(f.changed))
	for k := range f.changed {
		out = append(out, f.health[k].message(k))
	}
	clear(f.changed)
	return sorted(out)
}

// all lists every feed.
func (f *feeds) all() []*wf.FeedHealth {
	out := make([]*wf.FeedHealth, 0, len(f.health))
	for k, h := range f.health {
		out = append(out, h.message(k))
	}
	return sorted(out)
}

func (h *heard) message(k feed) *wf.FeedHealth {
	return &wf.FeedHealth{Cell: k.cell, Agency: k.agency, LastReceived: timestamppb.New(h.last), Reports: h.reports}
}

func sorted(list []*wf.FeedHealth) []*wf.FeedHealth {
	slices.SortFunc(list, func(a, b *wf.FeedHealth) int {
		return cmp.Or(cmp.Compare(a.GetCell(), b.GetCell()), cmp.Compare(a.GetAgency(), b.GetAgency()))
	})
	return list
}
