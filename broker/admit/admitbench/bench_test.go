package admitbench

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestOne(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	b, err := newBench(Config{Dir: t.TempDir(), Round: 1 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var o, r []sample
	for range 4 {
		s, err := b.one(b.sync, b.payload.subject, n)
		if err != nil {
			t.Fatal(err)
		}
		o = append(o, s)
		tg := b.sync
		if n > 2000 {
			tg = b.lazy
		}
		if s, err = b.one(tg, rawSubject, n); err != nil {
			t.Fatal(err)
		}
		r = append(r, s)
	}
	p50, p99 := quantiles(o)
	b50, b99 := quantiles(r)
	fmt.Printf("n=%d: %.0f/s p50 %.2f p99 %.2f   base %.0f/s %.2f %.2f  ratio %.2f\n", n, median(o), p50, p99, median(r), b50, b99, median(o)/median(r))
}
