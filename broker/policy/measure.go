package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// span reads a length of time: Go's units, and "d" for days: "15m", "36h", "90d".
func span(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseUint(n, 10, 32)
		if err != nil || days == 0 || days > 36525 {
			return 0, fmt.Errorf("%q is no length of time; write days as \"90d\", at most 36525d", s)
		}
		return time.Duration(days) * day, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > 36525*day {
		return 0, fmt.Errorf("%q is no length of time; write it as \"15m\", \"36h\" or \"90d\"", s)
	}
	return d, nil
}

var units = []struct {
	suffix string
	size   int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// Size reads a number of bytes as policies write them: "512MiB".
func Size(s string) (int64, error) { return size(s) }

// size reads a number of bytes with its unit: "512KiB", "8GiB".
func size(s string) (int64, error) {
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			v, err := strconv.ParseInt(n, 10, 64)
			if err != nil || v <= 0 || v > (1<<62)/u.size {
				break
			}
			return v * u.size, nil
		}
	}
	return 0, fmt.Errorf("%q is no size; write it with B, KiB, MiB, GiB or TiB: \"1MiB\"", s)
}
