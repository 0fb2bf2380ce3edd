package quality

import (
	score "github.com/watchfloor/watchfloor/consumers/fusion/quality"
)

// Row is what was measured on one set.
type Row struct {
	Name string `json:"name"`
	// Reports of the set, and how many were refused by the codec.
	Reports int `json:"reports"`
	Refused int `json:"refused,omitempty"`
	// Threshold in bits.
	Threshold float64     `json:"threshold"`
	Pairs     score.Score `json:"pairs"`
	BCubed    score.Score `json:"b_cubed"`
	// Blocking is the share of the true pairs that some key brings together.
	Blocking float64 `json:"blocking_recall"`
	// Largest found situation, in reports.
	Largest int `json:"largest"`
	// Seconds from reports in memory to situations.
	Seconds float64 `json:"seconds"`
	// HeapMB is what is in use at the end: engine, names and truth.
	HeapMB float64 `json:"heap_mb"`
	// Merged is how many events a crowded place put into one situation with
	// another; Plots how many of them are plots, not ordinary traffic.
	Merged    int         `json:"events_merged,omitempty"`
	Plots     int         `json:"plots_merged,omitempty"`
	Published []Published `json:"published,omitempty"`
	Targets   []Target    `json:"targets,omitempty"`
	Misses    []Miss      `json:"misses,omitempty"`
	// Unscored: nobody knows the truth of the set; Found says what was found.
	Unscored bool     `json:"unscored,omitempty"`
	Found    []string `json:"found,omitempty"`
}

// Published is a figure of somebody else for the same set.
type Published struct {
	Who string `json:"who"`
	// Precision and Recall may be unknown: 0.
	Precision float64 `json:"precision,omitempty"`
	Recall    float64 `json:"recall,omitempty"`
	F1        float64 `json:"f1"`
	Source    string  `json:"source"`
}

// Target is a figure that has to be reached.
type Target struct {
	What    string  `json:"what"`
	AtLeast float64 `json:"at_least"`
	// None: the figure is a count that has to be 0.
	None   bool    `json:"none,omitempty"`
	Got    float64 `json:"got"`
	Passed bool    `json:"passed"`
}

// Passed says whether every target of the row is reached.
func (r Row) Passed() bool {
	for _, t := range r.Targets {
		if !t.Passed {
			return false
		}
	}
	return true
}

func atLeast(what string, want, got float64) Target {
	return Target{What: what, AtLeast: want, Got: got, Passed: got >= want}
}

func none(what string, got int) Target {
	return Target{What: what, None: true, Got: float64(got), Passed: got == 0}
}
