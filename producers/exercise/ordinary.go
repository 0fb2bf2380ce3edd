package exercise

import (
	"time"
)

// ordinary is the everyday traffic: events that several agencies report, and
// single reports that belong to nothing.
type ordinary struct {
	world *world
	total int // reports to write
	used  int
	count uint64
	quiet []*agency // agencies nobody has spoken for yet
}

// next begins the next story; nil when all reports are written.
func (o *ordinary) next() *story {
	if o.used >= o.total {
		return nil
	}
	const active = int64((Span - 24*time.Hour) / time.Second)
	start := o.world.after(time.Duration(active*int64(o.used)/int64(o.total)) * time.Second)
	s := o.world.story(firstOrdinary+o.count, start)
	o.count++
	left := o.total - o.used
	switch {
	case len(o.quiet) > 0 && (o.count%3 == 0 || left <= len(o.quiet)):
		s.single(o.quiet[0])
		o.quiet = o.quiet[1:]
	case left >= 8 && s.rng.chance(eventShare):
		happenings[s.rng.zipf(byFrequency)].write(s, s.no-firstOrdinary)
	case left >= 8 && s.rng.chance(20):
		s.lookalike()
	default:
		s.single(&agencies[s.rng.zipf(byNoise)])
	}
	o.used += int(s.said)
	return s
}

// eventShare is how many of a thousand stories are events; an event has some
// four reports, so that somewhat over half of all reports belong to one.
const eventShare = 260

// happening is a kind of event.
type happening struct {
	name   string
	weight int
	write  func(s *story, n uint64)
}

var byFrequency = cumulate(len(happenings), func(i int) int { return happenings[i].weight })
