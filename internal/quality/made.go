package quality

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"

	"github.com/watchfloor/watchfloor/producers/codec"
	mapped "github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/feed"
)

// made is a labelled set of our own, written from a seed: nobody has tuned
// anything to it, and nobody published a figure for it. It guards against
// fitting the weights to the handful of sets that everybody uses. Its records
// go the way of anybody's files: bytes, mapping, report.
type made struct {
	name  string
	write func(name string, n int) pages
	n     int
}

// pages are the files of a made set.
type pages struct {
	files []page
	// truth is the cluster of each record.
	truth map[string]string
}

// page is one file; mapping is empty for Report JSON lines.
type page struct {
	name, mapping string
	data          []byte
}

var madeSets = []made{
	{"made-persons-1", persons(1), 4000},
	{"made-persons-2", persons(2), 4000},
	{"made-persons-4", persons(4), 4000},
	{"made-businesses", businesses, 4000},
	{"made-titles", titles, 4000},
	{"made-notes", notes, 2000},
}

func madeParts() []part {
	var out []part
	for _, m := range madeSets {
		out = append(out, part{m.name, false, m.run})
	}
	return out
}

func (m made) run(ctx context.Context, c Config) (Row, error) {
	s, err := m.write(m.name, c.scaled(m.n)).set()
	if err != nil {
		return Row{}, err
	}
	return s.measure(ctx, c)
}

// set reads the pages as files are read.
func (p pages) set() (set, error) {
	var s set
	for _, f := range p.files {
		c := feed.Config{Extract: true, Options: func(feed.Format) codec.Options { return options }}
		if f.mapping != "" {
			m, err := mapped.ParseMapping([]byte(f.mapping))
			if err != nil {
				return s, fmt.Errorf("mapping of %s: %w", f.name, err)
			}
			c.Mapping = m
		}
		for _, item := range c.Read(f.name, f.data).Items {
			if item.Refused() {
				s.refused++
				continue
			}
			s.reports = append(s.reports, item.Report)
			s.truth = append(s.truth, p.truth[item.Report.Record])
		}
	}
	return s, nil
}

// Write puts the made sets into a folder, one below it for each: the files,
// their mappings, and truth.csv with the cluster of every record, to be run
// through any tool.
func Write(dir string) error {
	for _, m := range madeSets {
		if err := m.write(m.name, m.n).save(filepath.Join(dir, m.name)); err != nil {
			return fmt.Errorf("write %s: %w", m.name, err)
		}
	}
	return nil
}

func (p pages) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	rows := [][]string{{"record", "cluster"}}
	for _, f := range p.files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o644); err != nil {
			return err
		}
		if f.mapping != "" {
			if err := os.WriteFile(filepath.Join(dir, f.name+".yaml"), []byte(f.mapping), 0o644); err != nil {
				return err
			}
		}
	}
	for _, record := range sorted(p.truth) {
		rows = append(rows, []string{record, p.truth[record]})
	}
	return os.WriteFile(filepath.Join(dir, "truth.csv"), table(rows), 0o644)
}

// table is rows as CSV.
func table(rows [][]string) []byte { return tableBy(',', rows) }

func tableBy(delimiter rune, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = delimiter
	if err := w.WriteAll(rows); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
