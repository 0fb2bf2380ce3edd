package narrative

import (
	"strconv"
	"strings"
)

// amount is a number in digits or words at i.
func (s *scan) amount(i int) (int, bool) {
	if v, ok := numberWords[s.word(i)]; ok {
		return v, true
	}
	if s.tok(i).shape != number || len(s.raw(i)) > 6 {
		return 0, false
	}
	v, err := strconv.Atoi(s.raw(i))
	return v, err == nil
}

// count is "three people were injured", "12 dead".
func (s *scan) count(i int) int {
	v, ok := s.amount(i)
	if !ok || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"") || s.glued(i+1) && s.symbolAt(i+1, "-/%.:,") && s.glued(i+2) || s.symbolAt(i-1, "$#") {
		return i
	}
	j := i + 1
	for n := 0; n < 4 && (s.is(j, people) && s.word(j) != "dead" || s.word(j) == "were" || s.word(j) == "was" || s.word(j) == "other" || s.word(j) == "others" || s.word(j) == "are" || s.word(j) == "more" || s.word(j) == "reported" || s.word(j) == "confirmed" || s.word(j) == "seriously" || s.word(j) == "critically"); n++ {
		j++
	}
	k := harmKind(s.word(j))
	if k == "" {
		return i
	}
	s.add(Finding{Kind: k, Normal: strconv.Itoa(v), Count: v, Why: "a number before a word for harm"}, i, j+1)
	return j + 1
}

func harmKind(w string) Kind {
	switch w {
	case "injured", "wounded", "hurt", "injuries", "hospitalized":
		return Injured
	case "killed", "dead", "deceased", "fatalities", "fatally", "died", "deaths":
		return Killed
	}
	return ""
}

// harmed is "killing two people and wounding eleven others".
func (s *scan) harmed(i int) int {
	v, ok := s.amount(i + 1)
	if !ok {
		return i
	}
	k := Injured
	if s.word(i) == "killing" {
		k = Killed
	}
	s.add(Finding{Kind: k, Normal: strconv.Itoa(v), Count: v, Why: "a number after a word for harm"}, i, i+2)
	return i + 2
}

// hazards are events of nature and technology by the words for them.
var hazards = strings.Split(`tornado warning|tornado watch|tornado|hurricane warning|hurricane watch|hurricane|tropical storm warning|tropical storm|flash flood warning|flash flood emergency|flash flood watch|flash flood|flood warning|severe thunderstorm warning|severe thunderstorm watch|severe thunderstorm|winter storm warning|winter storm|blizzard warning|blizzard|ice storm|heat advisory|excessive heat warning|high wind warning|storm surge|wildfire|earthquake|tsunami|dense fog advisory|chemical spill|gas leak|hazmat|train derailment|boil water notice|dam failure`, "|")

// hazard is the longest of the table that stands at i.
func (s *scan) hazard(i int) int {
	if !s.is(i, hazardWord) {
		return i
	}
	best, n := "", 0
	for _, h := range hazards {
		if w := strings.Count(h, " ") + 1; w > n && s.phrase(i, h) {
			best, n = h, w
		}
	}
	if n == 0 {
		return i
	}
	s.add(Finding{Kind: Hazard, Normal: best, Why: "a word for a hazard"}, i, i+n)
	return i + n
}

// phrase says whether the words of p stand at i.
func (s *scan) phrase(i int, p string) bool {
	for w := range strings.SplitSeq(p, " ") {
		if s.word(i) != w {
			return false
		}
		i++
	}
	return true
}
