package fusion

import (
	"github.com/zeebo/xxh3"
)

// copyWords is from how many words on the same text is evidence: shorter ones
// are written alike by chance.
const copyWords = 30

// sketchSize is how many of the smallest shingle hashes are kept of a narrative.
const sketchSize = 8

// sketch is a fingerprint of a narrative: the smallest hashes of its runs of
// three words. Nothing of the words can be read from it. A text of fewer than
// ten words has none. The number of words is returned beside it.
func sketch(s string) (out [sketchSize]uint32, length int) {
	s = s[:min(len(s), maxNarrative)]
	first, second, third := 0, 0, 0 // starts of the last three words
	words, n := 0, 0
	for i := 0; ; {
		for i < len(s) && spaces[s[i]] {
			i++
		}
		if i == len(s) {
			break
		}
		first, second, third = second, third, i
		for words++; i < len(s) && !spaces[s[i]]; i++ {
		}
		if words < 3 {
			continue
		}
		if h := uint32(xxh3.HashString(s[first:i]) >> 32); n < sketchSize || h < out[sketchSize-1] {
			n = keepSmallest(&out, n, h)
		}
	}
	if words < 10 {
		return [sketchSize]uint32{}, words
	}
	return out, words
}

// spaces are the bytes between words.
var spaces = [256]bool{' ': true, '\n': true, '\t': true, '\r': true}

// keepSmallest inserts h into the n smallest, sorted.
func keepSmallest(out *[sketchSize]uint32, n int, h uint32) int {
	i := n
	for i > 0 && out[i-1] >= h {
		if out[i-1] == h {
			return n
		}
		i--
	}
	if i == sketchSize {
		return n
	}
	last := min(n, sketchSize-1)
	copy(out[i+1:last+1], out[i:last])
	out[i] = h
	return min(n+1, sketchSize)
}

// nearCopy says whether two narratives are all but the same.
func nearCopy(a, b *[sketchSize]uint32) bool {
	if a[0] == 0 && a[1] == 0 || b[0] == 0 && b[1] == 0 {
		return false
	}
	common, i, j := 0, 0, 0
	for i < sketchSize && j < sketchSize {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			common++
			i++
			j++
		}
	}
	return common >= sketchSize-1
}
