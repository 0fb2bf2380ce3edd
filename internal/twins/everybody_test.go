package twins

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/proof"
)

// unheard are principals of a low cell that nothing is kept of, with the reason.
var unheard = map[proof.Kind]string{
	proof.Provision: "its credential never leaves the broker",
	proof.Backup:    "the operator's: a copy of a stream holds how far every reader of the cell has come, those above among them (DESIGN.md, what remains)",
	proof.Doctor:    "the operator's: it is told how every consumer of the cell stands, those of readers above among them (DESIGN.md, what remains)",
}

// missing lists the principals below, as the proof of the policy names them, of
// whom nothing was kept in some cell that they may sign in to.
func missing(tapes map[string]int) ([]string, error) {
	p, err := testPolicy()
	if err != nil {
		return nil, err
	}
	low := lowCells(p)
	w, err := broker.Compile(p)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range proof.Prove(w).Standings {
		above := func(c string) bool { return !slices.Contains(low, c) }
		if unheard[s.Principal.Kind] != "" || above(s.Cell) || slices.ContainsFunc(s.Principal.Cells, above) {
			continue
		}
		found := false
		for name := range tapes {
			found = found || isOf(name, s)
		}
		if !found {
			out = append(out, fmt.Sprintf("%s in %s", s.Principal, s.Cell))
		}
	}
	return out, nil
}

// isOf says whether a tape is of a principal in a cell.
func isOf(tape string, s proof.Standing) bool {
	_, tape, _ = strings.Cut(tape, ": ")
	name := s.Principal.Name
	for _, form := range []string{"agency %s in %s", "reader %s in %s", "worker/%s in %s", "ear %s in %s to"} {
		if strings.HasPrefix(tape+" ", fmt.Sprintf(form, name, s.Cell)+" ") {
			return true
		}
	}
	return false
}
