// Package quality scores a partition of records against the truth: pairwise
// and B-cubed precision, recall and F1.
//
// It is not tied to the engine: it compares labels. A record without a label,
// or with one that no other has, is a cluster of its own.
package quality

// Score is precision, recall and their harmonic mean, 0 to 1, with the counts
// they rest on. Nothing found is precision 1; nothing to find is recall 1.
type Score struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	// True is found and right, Found is all found, Expected is all there is:
	// pairs, or for B-cubed records.
	True     uint64 `json:"true"`
	Found    uint64 `json:"found"`
	Expected uint64 `json:"expected"`
}

// Pairs compares every pair of records: together in found, together in truth.
// Both give the cluster of record i; the empty label means alone.
func Pairs(truth, found []string) Score {
	t, f, both := sizes(truth, found)
	s := Score{True: pairs(both), Found: pairs(f), Expected: pairs(t)}
	s.Precision, s.Recall = ratio(s.True, s.Found), ratio(s.True, s.Expected)
	s.F1 = harmonic(s.Precision, s.Recall)
	return s
}

// BCubed averages over records how much of each one's found cluster is right
// and how much of its true cluster is found.
func BCubed(truth, found []string) Score {
	n := min(len(truth), len(found))
	if n == 0 {
		return Score{Precision: 1, Recall: 1, F1: 1}
	}
	t, f, both := sizes(truth, found)
	var p, r float64
	for i := range n {
		tk, fk := keyOf(truth, i), keyOf(found, i)
		common := float64(both[pair{tk, fk}])
		p += common / float64(f[pair{b: fk}])
		r += common / float64(t[pair{a: tk}])
	}
	s := Score{Precision: p / float64(n), Recall: r / float64(n), Found: uint64(n), Expected: uint64(n), True: uint64(n)}
	s.F1 = harmonic(s.Precision, s.Recall)
	return s
}

// Largest is the size of the biggest found cluster.
func Largest(found []string) int {
	_, f, _ := sizes(found, found)
	most := 0
	for _, n := range f {
		most = max(most, int(n))
	}
	return most
}

// label is a cluster name, or the number of a record that is alone.
type label struct {
	name  string
	alone int
}

type pair struct{ a, b label }

func keyOf(labels []string, i int) label {
	if labels[i] == "" {
		return label{alone: i + 1}
	}
	return label{name: labels[i]}
}

func sizes(truth, found []string) (t, f, both map[pair]uint64) {
	t, f, both = map[pair]uint64{}, map[pair]uint64{}, map[pair]uint64{}
	for i := range min(len(truth), len(found)) {
		a, b := keyOf(truth, i), keyOf(found, i)
		t[pair{a: a}]++
		f[pair{b: b}]++
		both[pair{a, b}]++
	}
	return t, f, both
}

func pairs(sizes map[pair]uint64) (n uint64) {
	for _, k := range sizes {
		n += k * (k - 1) / 2
	}
	return n
}

func ratio(a, b uint64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

func harmonic(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}
