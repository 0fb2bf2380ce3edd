package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/fusion/quality"
)

// truth says which records are one thing.
type truth struct {
	cluster map[string]string
}

// readTruth reads FILE or FILE:RECORD,CLUSTER; none for "".
func readTruth(spec string) (*truth, error) {
	if spec == "" {
		return nil, nil
	}
	name, columns := spec, []string{"record", "cluster"}
	if i := strings.LastIndexByte(spec, ':'); i > 0 && strings.Count(spec[i:], ",") == 1 {
		name, columns = spec[:i], strings.Split(spec[i+1:], ",")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("--truth: %w", err)
	}
	defer f.Close()
	t := &truth{cluster: map[string]string{}}
	if err := t.read(csv.NewReader(f), columns); err != nil {
		return nil, usage("--truth %s: %w", name, err)
	}
	return t, nil
}

func (t *truth) read(r *csv.Reader, columns []string) error {
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	for i := range header {
		header[i] = strings.TrimSpace(strings.TrimPrefix(header[i], "\ufeff"))
	}
	record, cluster := slices.Index(header, columns[0]), slices.Index(header, columns[1])
	if record < 0 || cluster < 0 {
		return fmt.Errorf("it has columns %s, not %s: say FILE:RECORD,CLUSTER", strings.Join(header, ", "), strings.Join(columns, " and "))
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t.cluster[row[record]] = row[cluster]
	}
}

// score compares the situations with the truth. A report that the truth does
// not name belongs with no other.
func (t *truth) score(w io.Writer, situations []fusion.Output) {
	var expected, found []string
	known := 0
	for _, s := range situations {
		for _, r := range s.Reports {
			c, ok := t.cluster[recordName(r)]
			if ok {
				known++
			}
			expected, found = append(expected, c), append(found, s.ID)
		}
	}
	p, b := quality.Pairs(expected, found), quality.BCubed(expected, found)
	fmt.Fprintf(w, "the truth names %d of %s\n", known, count(len(found), "report"))
	fmt.Fprintf(w, "pairs:    precision %.4f, recall %.4f, F1 %.4f (%d found, %d of them right, %d true)\n", p.Precision, p.Recall, p.F1, p.Found, p.True, p.Expected)
	fmt.Fprintf(w, "B-cubed:  precision %.4f, recall %.4f, F1 %.4f\n", b.Precision, b.Recall, b.F1)
	fmt.Fprintf(w, "largest situation: %s\n", count(max(quality.Largest(found), 1), "report"))
}
