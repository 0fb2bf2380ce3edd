package quality

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	mapped "github.com/watchfloor/watchfloor/producers/csv"
)

// hospitals are those of Mississippi on two lists of the government. Nobody
// published which are one, so there is no score: the row says what is found.
func hospitals(ctx context.Context, c Config) (Row, error) {
	var s set
	list := map[int]string{}
	for _, l := range []string{"hifld", "cms"} {
		data, err := os.ReadFile(filepath.Join(c.Corpus, "assets", "ms_hospitals_"+l+".csv"))
		if err != nil {
			return Row{}, fmt.Errorf("%w: %w", ErrNoCorpus, err)
		}
		m, err := mapped.Shipped(l + "-hospitals")
		if err != nil {
			return Row{}, err
		}
		for _, item := range mapped.Decode(data, options, m) {
			if item.Refused() {
				s.refused++
				continue
			}
			list[len(s.reports)] = l
			s.reports, s.truth = append(s.reports, item.Report), append(s.truth, "")
		}
	}
	o, err := s.fuse(ctx, c)
	if err != nil {
		return Row{}, err
	}
	r := o.row(Config{})
	r.Threshold, r.Unscored = float64(s.bits())/1000, true
	r.Found = o.across(list)
	return r, nil
}

// across says of every situation with reports of both lists, or with several of
// one, which they are; and which of the second list stand alone.
func (o outcome) across(list map[int]string) []string {
	var matched, ambiguous, alone []string
	members := groups(o.found)
	for _, m := range members {
		count := map[string]int{}
		var names []string
		for _, i := range m {
			count[list[i]]++
			names = append(names, list[i]+" "+o.title(i))
		}
		slices.Sort(names)
		text := strings.Join(names, " = ")
		switch {
		case count["hifld"] == 1 && count["cms"] == 1:
			matched = append(matched, "matched: "+text)
		case len(m) > 1:
			ambiguous = append(ambiguous, "several of one list: "+text)
		case count["cms"] == 1:
			alone = append(alone, "unmatched: "+text)
		}
	}
	slices.Sort(matched)
	slices.Sort(ambiguous)
	slices.Sort(alone)
	head := fmt.Sprintf("%d matched one to one, %d with several of one list, %d of the second list unmatched", len(matched), len(ambiguous), len(alone))
	return slices.Concat([]string{head}, ambiguous, alone, matched)
}
