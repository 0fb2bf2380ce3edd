package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/watchfloor/watchfloor/broker/internal/folder"
	"github.com/watchfloor/watchfloor/broker/policy"
)

// labelsFile of the data directory says under which label each cell was
// admitted to: what is stored keeps its label whatever a policy says later.
const labelsFile = "LABELS"

// labels is cell -> label as policies write it. Cells that left the policy stay in it.
type labels map[string]string

// readLabels reads what earlier starts wrote; a directory without it has none.
func readLabels(dir string) (labels, error) {
	path := filepath.Join(dir, labelsFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return labels{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the labels of what is stored: %w", err)
	}
	l := labels{}
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, fmt.Errorf("read the labels of what is stored: %s: %w: restore it from a backup", path, err)
	}
	return l, nil
}

// CheckLabels refuses a policy that gives a cell another label than what is
// stored of it in a data directory.
func CheckLabels(dir string, p *policy.Policy) error {
	l, err := readLabels(dir)
	if err != nil {
		return err
	}
	return l.check(p)
}

// KeepLabels writes the labels of p to a data directory that was filled with
// what was admitted under them.
func KeepLabels(dir string, p *policy.Policy) error {
	l, err := readLabels(dir)
	if err != nil {
		return err
	}
	if err := l.check(p); err != nil {
		return err
	}
	return l.keep(dir, p)
}

// check refuses a policy that gives a cell of l another label.
func (l labels) check(p *policy.Policy) error {
	for _, c := range p.Cells {
		if have, ok := l[c.Name]; ok && have != c.Label.String() {
			return fmt.Errorf("cell %s from %s to %s: %w: name a new cell instead", c.Name, have, c.Label, ErrRelabelled)
		}
	}
	return nil
}

// keep adds the cells of p and writes the file when that changes it: whole or
// not at all.
func (l labels) keep(dir string, p *policy.Policy) error {
	before := len(l)
	for _, c := range p.Cells {
		l[c.Name] = c.Label.String()
	}
	if len(l) == before {
		return nil
	}
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, labelsFile)
	if err := folder.Write(path, append(data, '\n')); err != nil {
		return fmt.Errorf("write the labels of what is stored: %w", err)
	}
	return nil
}
