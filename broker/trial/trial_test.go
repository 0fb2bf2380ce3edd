package trial_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/trial"
)

// seed is drawn anew for every run of the tests and printed; WATCHFLOOR_SEED
// repeats one.
func seed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("WATCHFLOOR_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return uint64(time.Now().UnixNano())
}

// run tries a sample of the calls of every principal.
func run(t *testing.T, cfg trial.Config) (trial.Summary, []trial.Attempt) {
	t.Helper()
	cfg.Policy, cfg.Seed = policy.Default(), seed(t)
	t.Logf("WATCHFLOOR_SEED=%d", cfg.Seed)
	var told []trial.Attempt
	cfg.Tell = func(a trial.Attempt) { told = append(told, a) }
	sum, err := trial.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sum, told
}

func TestTheShippedPolicyHolds(t *testing.T) {
	began := time.Now()
	sum, told := run(t, trial.Config{Sample: 60})
	t.Logf("%+v in %s", sum, time.Since(began))
	shown := 0
	for _, a := range told {
		if a.Outcome == trial.Leak || a.Outcome == trial.Wrong {
			if shown++; shown < 30 {
				t.Error(a)
			}
		}
	}
	if sum.Refused < 5000 || sum.Allowed < 50 || sum.Worked < 3*sum.Nobody || sum.Worked+sum.Nobody != sum.Controls || sum.Bytes == 0 || len(told) != sum.Attempts {
		t.Errorf("too little was tried: %+v", sum)
	}
}
