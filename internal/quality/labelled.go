package quality

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	mapped "github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/narrative"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// labelled is a set of other people's records with its published truth.
type labelled struct {
	name string
	// lists are the files with the mapping of each; column D1 of pairs is the first.
	lists []list
	// cluster tells the truth of a record from its row; nil when pairs does.
	cluster func(row map[string]string) string
	// pairs is the file of matching ids of the two lists, with its delimiter.
	pairs     string
	delimiter rune
	published []Published
	targets   func(Row) []Target
}

type list struct{ file, mapping string }

var labelledSets = []labelled{
	{
		name: "febrl-1", lists: []list{{"febrl/dataset1.csv", "febrl"}}, cluster: febrl, delimiter: ',',
	},
	{
		name: "febrl-3", lists: []list{{"febrl/dataset3.csv", "febrl"}}, cluster: febrl, delimiter: ',', published: publishedFebrl3,
		targets: func(r Row) []Target { return []Target{atLeast("F1", 0.999, r.Pairs.F1)} },
	},
	{
		name: "fake-1000", lists: []list{{"splink_fake_1000.csv", "fake-1000"}}, delimiter: ',', published: publishedFake1000,
		cluster: func(row map[string]string) string { return row["cluster"] },
		targets: func(r Row) []Target { return []Target{atLeast("F1", 0.905, r.Pairs.F1)} },
	},
	{
		name: "jedai-d1", lists: []list{{"jedai_D1/rest1.csv", "restaurants-1"}, {"jedai_D1/rest2.csv", "restaurants-2"}},
		pairs: "jedai_D1/gt.csv", delimiter: '|',
	},
	{
		name: "jedai-d4", lists: []list{{"jedai_D4/dblp.csv", "dblp"}, {"jedai_D4/acm.csv", "acm"}},
		pairs: "jedai_D4/gt.csv", delimiter: '%',
	},
}

// febrl: rec-223-org and rec-223-dup-0 are one person.
func febrl(row map[string]string) string {
	parts := strings.Split(row["rec_id"], "-")
	return strings.Join(parts[:min(2, len(parts))], "-")
}

func labelledParts() []part {
	var out []part
	for _, l := range labelledSets {
		out = append(out, part{l.name, false, l.run})
	}
	return out
}

func (l labelled) run(ctx context.Context, c Config) (Row, error) {
	s, err := l.read(filepath.Join(c.Corpus, "labelled"))
	if err != nil {
		return Row{}, err
	}
	r, err := s.measure(ctx, c)
	if err != nil {
		return Row{}, err
	}
	r.Published = l.published
	if l.targets != nil {
		r.Targets = l.targets(r)
	}
	return r, nil
}

// read turns every record into a report by the shipped mapping, and finds its truth.
func (l labelled) read(dir string) (set, error) {
	var s set
	var keys []matched // per list
	if l.pairs != "" {
		var err error
		if keys, err = l.matches(dir); err != nil {
			return s, err
		}
	}
	for i, list := range l.lists {
		data, rows, err := l.rows(dir, list.file)
		if err != nil {
			return s, err
		}
		truth := l.cluster
		if truth == nil {
			if err := keys[i].stand(rows); err != nil {
				return s, fmt.Errorf("%s: %w", list.file, err)
			}
			truth = func(row map[string]string) string { return keys[i][row["id"]] }
		}
		if err := s.add(data, rows, list.mapping, truth); err != nil {
			return s, fmt.Errorf("%s: %w", list.file, err)
		}
	}
	return s, nil
}

// add converts one list. Items come one per row, in the order of the rows.
func (s *set) add(data []byte, rows []map[string]string, mapping string, truth func(map[string]string) string) error {
	m, err := mapped.Shipped(mapping)
	if err != nil {
		return err
	}
	items := mapped.Decode(data, options, m)
	if len(items) != len(rows) {
		return fmt.Errorf("%d rows became %d records", len(rows), len(items))
	}
	for i, item := range items {
		if item.Refused() {
			s.refused++
			continue
		}
		narrative.Enrich(item.Report)
		s.reports = append(s.reports, item.Report)
		s.truth = append(s.truth, truth(rows[i]))
	}
	return nil
}

// options are those of one agency; records without a time all have the same.
var options = codec.Options{
	Agency: "records", Status: wf.Status_STATUS_TEST, Received: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	Label: &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED},
}

// rows reads a table by itself, for the columns that the mapping leaves out.
func (l labelled) rows(dir, name string) ([]byte, []map[string]string, error) {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoCorpus, err)
	}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.Comma, r.TrimLeadingSpace = l.delimiter, true
	all, err := r.ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	out := make([]map[string]string, 0, len(all))
	for _, cells := range all[1:] {
		row := make(map[string]string, len(cells))
		for i, c := range cells {
			row[strings.TrimSpace(all[0][i])] = c
		}
		out = append(out, row)
	}
	return data, out, nil
}

// matched are ids of a list with the pair that each is in.
type matched map[string]string

// stand says whether all of them are rows of the list: the wrong list is an
// error, not a bad score.
func (m matched) stand(rows []map[string]string) error {
	n := 0
	for _, row := range rows {
		if _, ok := m[row["id"]]; ok {
			n++
		}
	}
	if n != len(m) {
		return fmt.Errorf("the truth names %d records, the list has %d of them", len(m), n)
	}
	return nil
}

// matches reads the pairs of two lists.
func (l labelled) matches(dir string) ([]matched, error) {
	_, rows, err := l.rows(dir, l.pairs)
	if err != nil {
		return nil, err
	}
	out := []matched{{}, {}}
	for i, row := range rows {
		for side, column := range []string{"D1", "D2"} {
			id := row[column]
			if _, twice := out[side][id]; twice {
				return nil, fmt.Errorf("%s: id %s of %s stands in two pairs", l.pairs, id, column)
			}
			out[side][id] = fmt.Sprint(i)
		}
	}
	return out, nil
}
