package fusion

import "strings"

// vocabulary is the names of cells, agencies and originators: each once, for as
// long as a live report bears it.
type vocabulary struct {
	numbers map[string]uint32
	texts   []string
	uses    []int32
	free    []uint32
}

// use is the number of a word, for one more who bears it.
func (w *vocabulary) use(s string) uint32 {
	i, ok := w.numbers[s]
	if !ok {
		s = strings.Clone(s)
		if l := len(w.free); l > 0 {
			i, w.free = w.free[l-1], w.free[:l-1]
			w.texts[i] = s
		} else {
			i = uint32(len(w.texts))
			w.texts, w.uses = append(w.texts, s), append(w.uses, 0)
		}
		w.numbers[s] = i
	}
	w.uses[i]++
	return i
}

// drop says that one who bore a word is gone.
func (w *vocabulary) drop(i uint32) {
	if w.uses[i]--; w.uses[i] == 0 {
		delete(w.numbers, w.texts[i])
		w.texts[i] = ""
		w.free = append(w.free, i)
	}
}
