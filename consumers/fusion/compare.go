package fusion

import wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"

// Identity names a report: an agency's id is unique in the cell that admitted it.
type Identity struct{ Cell, Agency, ID string }

// Pair is what the engine makes of two live reports.
type Pair struct {
	// Proposed: some key brings the two together, so that they were compared.
	Proposed bool
	// Linked: they were compared and reach the threshold.
	Linked bool
	// Together: they stand in one situation, linked or by way of others.
	Together bool
	// Millibits is their score, whether they were compared or not; Evidence its lines.
	Millibits int32
	Evidence  []*wf.Evidence
}

// Compare says what the engine makes of two reports; false when one of them is
// not live.
func (e *Engine) Compare(a, b Identity) (Pair, bool) {
	m, n, ok := e.both(a, b)
	if !ok {
		return Pair{}, false
	}
	p := Pair{Proposed: e.proposed(m, n), Linked: e.linked(m, n), Together: e.nodes[m].comp == e.nodes[n].comp, Millibits: e.score(m, n)}
	p.Evidence = evidenceOf(e.reasons(m, n))
	sealEvidence(p.Evidence, cloneIt)
	return p, true
}

// Proposed says whether some key brings two live reports together; without it
// nothing else compares them.
func (e *Engine) Proposed(a, b Identity) bool {
	m, n, ok := e.both(a, b)
	return ok && e.proposed(m, n)
}

// Cluster numbers the situation that a live report stands in, without building
// it. The number says which reports are together now, and nothing else.
func (e *Engine) Cluster(i Identity) (int, bool) {
	n := e.know(identOf(i.Cell, i.Agency, i.ID))
	return int(e.nodes[n].comp), n != 0
}

// both finds two different live reports.
func (e *Engine) both(a, b Identity) (m, n int32, ok bool) {
	m, n = e.know(identOf(a.Cell, a.Agency, a.ID)), e.know(identOf(b.Cell, b.Agency, b.ID))
	return m, n, m != 0 && n != 0 && m != n
}
