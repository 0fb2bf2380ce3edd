package fusion

// latin holds how letters of other scripts, and those Latin ones that are no
// letter with a mark, are written in plain Latin: one fixed table, so that
// Владимир and Vladimir, Γιώργος and Giorgos are compared. Arabic and Hebrew
// write few vowels: skeleton compares them by their consonants.
var latin = func() map[rune]string {
	out := map[rune]string{}
	for _, t := range []struct {
		from string
		to   []string
	}{
		{"ßæøđłıþðœŋħĸſ", []string{"ss", "ae", "o", "d", "l", "i", "th", "d", "oe", "n", "h", "k", "s"}},
		{"абвгдежзиклмнопрстуфхцчшщъыьэюя", []string{
			"a", "b", "v", "g", "d", "e", "zh", "z", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
			"kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya"}},
		{"іјљњђћџєґўѕѵ", []string{"i", "j", "lj", "nj", "dj", "c", "dz", "ye", "g", "u", "dz", "i"}},
		{"αβγδεζηθικλμνξοπρσςτυφχψω", []string{
			"a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "s", "t", "y", "f", "ch", "ps", "o"}},
		{"ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءپچژگکیآ", []string{
			"a", "b", "t", "th", "j", "h", "kh", "d", "dh", "r", "z", "s", "sh", "s", "d", "t", "z", "", "gh", "f", "q", "k", "l", "m", "n", "h",
			"w", "y", "a", "a", "", "p", "ch", "zh", "g", "k", "y", "a"}},
		{"אבגדהוזחטיכךלמםנןסעפףצץקרשת", []string{
			"a", "b", "g", "d", "h", "v", "z", "ch", "t", "y", "k", "k", "l", "m", "m", "n", "n", "s", "", "p", "p", "ts", "ts", "k", "r", "sh", "t"}},
		{"აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", []string{
			"a", "b", "g", "d", "e", "v", "z", "t", "i", "k", "l", "m", "n", "o", "p", "zh", "r", "s", "t", "u", "p", "k", "gh", "q", "sh", "ch",
			"ts", "dz", "ts", "ch", "kh", "j", "h"}},
	} {
		i := 0
		for _, r := range t.from {
			out[r] = t.to[i]
			i++
		}
	}
	return out
}()

// firstSound is what a skeleton begins with.
func firstSound(c byte) byte {
	switch c {
	case 'c', 'q':
		return 'k'
	case 'z':
		return 's'
	case 'v':
		return 'f'
	}
	return c
}

// skeleton writes the consonants of a name into b: what stays when vowels are
// left out, doubled letters written once and those that sound alike taken for
// one. Its length is returned; a name in another script has none.
func skeleton(b *[16]byte, s string) int {
	n := 0
	var last byte
	for i := 0; i < len(s) && n < len(b); i++ {
		c := s[i]
		switch c {
		case 'a', 'e', 'i', 'o', 'u', 'y', 'w', 'h', ' ':
			if i == 0 {
				break
			}
			last = 0
			continue
		case 'c', 'q':
			c = 'k'
		case 'z':
			c = 's'
		case 'v':
			c = 'f'
		}
		if c >= 0x80 {
			return 0
		}
		if c != last {
			b[n] = c
			n++
		}
		last = c
	}
	return n
}

// soundsLike says whether two names of three consonants or more have the same.
func soundsLike(x, y string) bool {
	if len(x) < 3 || len(y) < 3 || firstSound(x[0]) != firstSound(y[0]) {
		return false
	}
	var a, b [16]byte
	n := skeleton(&a, x)
	return n >= 3 && n == skeleton(&b, y) && a == b
}
