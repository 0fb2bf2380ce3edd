package fusion

import (
	"math/bits"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The trend compares two rates at which reports come, both in reports per
// hour and both fading with time: f over the last hour, s over the last day.
// z = (f - s) / sqrt(s + 1) is how far apart they are beside the noise of a
// count: for a steady stream z has a deviation of at most 0.71.
const (
	// trendSize is how many reports it takes to speak of a trend.
	trendSize = 3
	// hourFade and dayFade are the times in ms in which a weight e^(-age/1 h) and
	// e^(-age/24 h) falls to a half.
	hourFade = 2_495_329
	dayFade  = 24 * hourFade
	// rateOne is one report per hour; rateMost keeps the squares in 128 bits.
	rateOne  = 1 << 30
	rateMost = 1 << 58
	// rising and falling are the squares of 1.5 and 1, in quarters.
	rising  = 9
	falling = 4
)

// halves is 2^(-i/64) in units of rateOne.
var halves = [65]int64{
	1073741824, 1062175491, 1050733751, 1039415261, 1028218693, 1017142735, 1006186087, 995347464, 984625594, 974019220, 963527098, 953147997, 942880699,
	932724001, 922676710, 912737649, 902905651, 893179563, 883558244, 874040567, 864625413, 855311680, 846098274, 836984114, 827968132, 819049271,
	810226483, 801498734, 792865000, 784324269, 775875538, 767517817, 759250125, 751071493, 742980960, 734977579, 727060411, 719228525, 711481005,
	703816941, 696235434, 688735596, 681316545, 673977412, 666717336, 659535466, 652430958, 645402981, 638450708, 631573326, 624770026, 618040012,
	611382493, 604796689, 598281827, 591837143, 585461881, 579155293, 572916640, 566745190, 560640218, 554601009, 548626854, 542717053, 536870912,
}

// faded is what is left after age ms of a weight that halves in so many.
func faded(age, half int64) int64 {
	k := age / half
	if k >= 40 {
		return 0
	}
	part := (age % half) << 22 / half // 64ths in units of 2^-16
	i, rest := part>>16, part&0xffff
	return (halves[i] - (halves[i]-halves[i+1])*rest>>16) >> k
}

// rates are f and s in units of rateOne.
type rates struct{ hour, day int64 }

func (r *rates) add(age int64) {
	r.hour += faded(age, hourFade)
	r.day += faded(age, dayFade)
}

// trend is the verdict on z, exact in integers.
func (r rates) trend() wf.Trend {
	f, s := min(r.hour, rateMost), min(r.day/24, rateMost)
	d, limit := f-s, uint64(rising)
	if d < 0 {
		d, limit = -d, falling
	}
	// z^2 >= limit/4  is  4 d^2 >= limit (s+1).
	lhi, llo := bits.Mul64(uint64(d), uint64(d)*4)
	rhi, rlo := bits.Mul64(uint64(s+rateOne), limit*rateOne)
	switch {
	case lhi < rhi || lhi == rhi && llo < rlo:
		return wf.Trend_TREND_STEADY
	case limit == rising:
		return wf.Trend_TREND_RISING
	}
	return wf.Trend_TREND_FALLING
}

// trendOf is the trend of members at a tick: of their event times and the
// later of the tick and the last of them, nothing else.
func (g *gathering) trendOf(now, last int64) wf.Trend {
	if len(g.all) < trendSize {
		return wf.Trend_TREND_STEADY
	}
	return g.ratesAt(max(now, last)).trend()
}

func (g *gathering) ratesAt(at int64) (r rates) {
	for i := range g.all {
		r.add(at - g.all[i].time)
	}
	return r
}

// due is the first tick at which time alone may change the trend; 0: never.
func (g *gathering) due(now int64) int64 {
	if len(g.all) < trendSize {
		return 0
	}
	at := now
	for i := range g.all {
		at = max(at, g.all[i].time)
	}
	return g.ratesAt(at).nextTrend(at, now, len(g.all))
}
