package quality

import (
	"maps"
	"slices"
	"strings"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// pick takes one of a list.
func pick[T any](r *rng, list []T) T { return list[r.n(len(list))] }

// often takes one of a list, the first ones more often.
func often[T any](r *rng, list []T) T { return list[min(r.n(len(list)), r.n(len(list)))] }

// typo garbles a word the way hands, ears and scanners do: one letter left out,
// doubled, replaced by its neighbour on the keyboard, two changed places, or
// written as it sounds.
func (r *rng) typo(s string) string {
	if len(s) < 2 {
		return s
	}
	i := r.n(len(s) - 1)
	switch r.n(6) {
	case 0:
		return s[:i] + s[i+1:]
	case 1:
		return s[:i+1] + s[i:]
	case 2:
		return s[:i] + string(beside(r, s[i])) + s[i+1:]
	case 3:
		return s[:i] + string(s[i+1]) + string(s[i]) + s[i+2:]
	case 4:
		return r.bySound(s)
	}
	return s[:i+1] + string(beside(r, s[i])) + s[i+1:]
}

// keyboard rows: a neighbour stands left or right.
const keyboard = " qwertyuiop asdfghjkl zxcvbnm 1234567890 "

func beside(r *rng, c byte) byte {
	lower := strings.ToLower(string(c))[0]
	i := strings.IndexByte(keyboard, lower)
	if i <= 0 || lower == ' ' {
		return c
	}
	n := keyboard[i-1+2*r.n(2)]
	if n == ' ' {
		return lower
	}
	return n
}

var sounds = [][2]string{{"ph", "f"}, {"ck", "k"}, {"ee", "ea"}, {"ie", "ei"}, {"ll", "l"}, {"tt", "t"}, {"son", "sen"}, {"y", "i"}, {"c", "k"}, {"th", "t"}, {"ou", "u"}, {"er", "ar"}}

func (r *rng) bySound(s string) string {
	for range 4 {
		p := pick(r, sounds)
		if strings.Contains(s, p[0]) {
			return strings.Replace(s, p[0], p[1], 1)
		}
	}
	return r.swap(s)
}

// swap changes two neighbours.
func (r *rng) swap(s string) string {
	i := r.n(len(s) - 1)
	return s[:i] + string(s[i+1]) + string(s[i]) + s[i+2:]
}

// digit replaces one digit, or swaps two.
func (r *rng) digit(s string) string {
	var at []int
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			at = append(at, i)
		}
	}
	if len(at) < 2 {
		return s
	}
	b := []byte(s)
	if k := r.n(len(at) - 1); r.chance(40) {
		b[at[k]], b[at[k+1]] = b[at[k+1]], b[at[k]]
	} else {
		b[at[k]] = '0' + byte((int(b[at[k]]-'0')+1+r.n(9))%10)
	}
	return string(b)
}

func (r *rng) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(r.n(10))
	}
	return string(b)
}

// shuffle puts a list into another order.
func shuffle[T any](r *rng, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.n(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}
