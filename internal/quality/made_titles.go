package quality

import (
	"strconv"
	"strings"

	mapped "github.com/watchfloor/watchfloor/producers/csv"
)

// work is one publication.
type work struct {
	title   string
	authors [][2]string
	venue   int
	year    int
}

// titles writes two libraries that share six of ten works, in the columns and
// by the shipped mappings of two real ones. One in eight works is a sequel:
// the same authors and a title that differs in a word.
func titles(name string, n int) pages {
	r := seeded(name)
	p := pages{truth: map[string]string{}}
	columns := []string{"id", "title", "authors", "venue", "year"}
	lists := map[string][][]string{"acm": {columns}, "dblp": {columns}}
	last := work{}
	for i := 0; len(lists["acm"])+len(lists["dblp"]) < n; i++ {
		w := newWork(r)
		if i > 0 && r.chance(12) {
			w.authors, w.title, w.year = last.authors, sequel(r, last.title), last.year+r.n(3)
		}
		last = w
		for _, list := range []string{"acm", "dblp"} {
			if r.chance(20) {
				continue
			}
			id := strconv.Itoa(len(lists[list]))
			lists[list] = append(lists[list], w.record(r, id, list))
			p.truth[list+"-"+id] = "w" + strconv.Itoa(i)
		}
	}
	for _, list := range []string{"acm", "dblp"} {
		mapping, err := mapped.Source(list)
		if err != nil {
			panic(err) // it is shipped
		}
		p.files = append(p.files, page{list + ".csv", string(mapping), tableBy('%', lists[list])})
	}
	return p
}

func newWork(r *rng) work {
	w := work{venue: r.n(len(venues)), year: 1994 + r.n(12)}
	words := []string{pick(r, topics)}
	for range 1 + r.n(3) {
		words = append(words, pick(r, topics), pick(r, things))
	}
	w.title = strings.Join(words, " ") + pick(r, []string{" for ", " in ", " with ", " over ", " and "}) + pick(r, topics) + " " + pick(r, things)
	w.title = strings.ToUpper(w.title[:1]) + w.title[1:]
	for range 1 + r.n(4) {
		w.authors = append(w.authors, [2]string{often(r, givens), familyName(r)})
	}
	return w
}

// sequel changes one word of a title, or adds to it.
func sequel(r *rng, title string) string {
	words := strings.Fields(title)
	if r.chance(40) {
		return title + pick(r, []string{" revisited", ", part II", ": an experience report", ": a demonstration"})
	}
	words[r.n(len(words))] = pick(r, things)
	return strings.Join(words, " ")
}

// record is the work as one of the libraries writes it.
func (w work) record(r *rng, id, list string) []string {
	title, venue, year := w.title, venues[w.venue][0], w.year
	var authors []string
	for _, a := range w.authors {
		given, family := a[0], a[1]
		if list == "acm" && r.chance(30) {
			given = given[:1] + "."
		}
		if r.chance(4) {
			family = r.typo(family)
		}
		authors = append(authors, given+" "+family)
	}
	if list == "dblp" {
		title, venue = capitals(title), venues[w.venue][1]
	}
	switch {
	case r.chance(8):
		title = r.typo(title)
	case r.chance(6):
		title = strings.ReplaceAll(title, " and ", " & ")
	case r.chance(4):
		title, _, _ = strings.Cut(title, " for ")
	}
	if len(authors) > 1 && r.chance(8) {
		authors = authors[:len(authors)-1]
	}
	if r.chance(4) {
		year++
	}
	return []string{id, title, strings.Join(authors, ", "), venue, strconv.Itoa(year)}
}

func capitals(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
