package narrative

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// scan is one text on its way through.
type scan struct {
	text, low string
	toks      []token
	ctx       Context
	out       []Finding
	// shouted: the text is in capitals, so that capitals tell nothing.
	shouted bool
	// person and vehicle are the numbers in out of the last ones named, from 1,
	// and the tokens they ended at; what follows belongs to them.
	person, vehicle       int
	personEnd, vehicleEnd int
	// ahead are the age and sex of a person not yet named.
	ahead    []int
	aheadEnd int
	// sentence is the token the sentence begins with.
	sentence int
	// chunks counts how often the text since the last space was looked at.
	chunks int
	// maker of the weapon or device last named.
	maker string
}

func newScan(text string, c Context) *scan {
	low := foldASCII(text)
	s := &scan{text: text, low: low, ctx: c, toks: tokenize(text, low)}
	caps, words := 0, 0
	for i := range s.toks {
		if t := &s.toks[i]; t.shape == word && t.end-t.start > 2 {
			words++
			if t.letters == upper {
				caps++
			}
		}
	}
	s.shouted = words >= 4 && caps*10 >= words*7
	return s
}

// low text of token i; empty past the end.
func (s *scan) word(i int) string {
	if i < 0 || i >= len(s.toks) {
		return ""
	}
	return s.low[s.toks[i].start:s.toks[i].end]
}

func (s *scan) raw(i int) string {
	if i < 0 || i >= len(s.toks) {
		return ""
	}
	return s.text[s.toks[i].start:s.toks[i].end]
}

var noToken token

func (s *scan) tok(i int) *token {
	if i < 0 || i >= len(s.toks) {
		return &noToken
	}
	return &s.toks[i]
}

func (s *scan) is(i int, c class) bool { return s.tok(i).class&c != 0 }

// symbolAt says whether token i is one of the characters.
func (s *scan) symbolAt(i int, chars string) bool {
	t := s.tok(i)
	return t.end > t.start && t.shape == symbol && strings.IndexByte(chars, s.text[t.start]) >= 0
}

// glued says whether token i follows the one before without a space.
func (s *scan) glued(i int) bool { return i > 0 && i < len(s.toks) && !s.toks[i].gap }

// span is the text of tokens from i up to and without j.
func (s *scan) span(i, j int) string {
	if i >= j || i >= len(s.toks) {
		return ""
	}
	return s.text[s.toks[i].start:s.toks[min(j, len(s.toks))-1].end]
}

// near says whether one of the n tokens before i, of the same line, has the class.
func (s *scan) near(i, n int, c class) bool {
	for k := i - 1; k >= 0 && k >= i-n; k-- {
		if s.toks[k].class&c != 0 {
			return true
		}
		if s.toks[k+1].line && k+1 < i {
			return false
		}
	}
	return false
}

// upcoming says whether one of the n tokens from i has the class.
func (s *scan) upcoming(i, n int, c class) bool {
	for k := i; k < len(s.toks) && k < i+n; k++ {
		if s.toks[k].class&c != 0 {
			return true
		}
	}
	return false
}

// ends says whether a sentence ends before token i.
func (s *scan) ends(i int) bool {
	if i <= 0 {
		return true
	}
	t := s.tok(i)
	if t.line && i > 0 {
		return true
	}
	return t.gap && s.symbolAt(i-1, ".!?") && !s.abbreviated(i-1)
}

// abbreviated says whether the full stop at i belongs to the word before it:
// "Mr.", "St.", "J.", "No.".
func (s *scan) abbreviated(i int) bool {
	if !s.symbolAt(i, ".") || !s.glued(i) {
		return false
	}
	t := s.tok(i - 1)
	return t.letters == initial || t.class&(abbreviation|honorific|official|streetType|stateCode|month) != 0 && t.end-t.start <= 5
}

// add notes a finding of tokens i up to and without j.
func (s *scan) add(f Finding, i, j int) int {
	f.Start, f.End = int(s.toks[i].start), int(s.toks[min(j, len(s.toks))-1].end)
	return s.push(f)
}

// push notes a finding and returns its number, from 1.
func (s *scan) push(f Finding) int {
	s.out = append(s.out, f)
	return len(s.out)
}

// identify notes an identifier of tokens i up to j; false when there is none.
func (s *scan) identify(k Kind, id *wf.Identifier, err error, i, j int, why string) bool {
	if err != nil || id == nil {
		return false
	}
	f := Finding{Kind: k, Normal: id.GetValue(), Why: why, Identifier: id}
	switch k {
	case Phone, Email, License, Passport, SSN, FBI, Account, IMEI:
		f.Of = s.whose(i)
		f.sender = s.ofSender(i)
	case URL, Domain:
		f.sender = s.ofSender(i)
	case Plate, VIN:
		f.Of = s.whichVehicle(i)
	}
	s.add(f, i, j)
	return true
}

// maxChunks is how often a text without spaces is looked at whole, from
// different places in it.
const maxChunks = 6

// reach is how many tokens after a name still speak of it.
const reach = 28

// whose is the person that what stands at token i belongs to.
func (s *scan) whose(i int) int {
	if s.person == 0 || i-s.personEnd > reach || s.personEnd < s.sentence && i-s.personEnd > 12 {
		return 0
	}
	return s.person
}

func (s *scan) whichVehicle(i int) int {
	if s.vehicle == 0 || i-s.vehicleEnd > 14 {
		return 0
	}
	return s.vehicle
}

// ofSender says whether what stands at token i is where readers are asked to
// turn: it tells of the writer, not of the event.
func (s *scan) ofSender(i int) bool {
	asks, answers := false, false
	for k := i - 1; k >= 0 && k >= i-24; k-- {
		c := s.toks[k].class
		asks = asks || c&asking != 0 || c&official != 0 && !answers && i-k <= 6
		answers = answers || c&contacting != 0
		if s.toks[k+1].line && k+1 < i {
			break
		}
	}
	return asks && answers
}

// at tries the rules at token i and returns the token to go on with.
func (s *scan) at(i int) int {
	t := &s.toks[i]
	if s.ends(i) {
		s.sentence = i
	}
	if t.gap {
		s.chunks = 0
	}
	if t.gap || s.chunks < maxChunks && s.symbolAt(i-1, "(<\"[:=,;'|/") && t.shape != symbol {
		s.chunks++
		if j := s.chunk(i); j > i {
			return j
		}
	}
	switch t.shape {
	case symbol:
		return s.atSymbol(i)
	case number:
		return s.atNumber(i)
	case mixed:
		return s.atMixed(i)
	}
	return s.atWord(i)
}

// first runs rules until one takes tokens.
func (s *scan) first(i int, rules ...func(*scan, int) int) int {
	for _, r := range rules {
		if j := r(s, i); j > i {
			return j
		}
	}
	return i
}

func (s *scan) atSymbol(i int) int {
	switch s.text[s.toks[i].start] {
	case '+', '(':
		return (*scan).phone(s, i)
	case '@':
		return (*scan).handle(s, i)
	case '-':
		return (*scan).coordinate(s, i)
	case '#':
		return i
	}
	return i
}

var numberRules = []func(*scan, int) int{
	(*scan).coordinate, (*scan).socialNumber, (*scan).handset, (*scan).phone, (*scan).age, (*scan).when, (*scan).count, (*scan).block, (*scan).address, (*scan).vehicleAt, (*scan).quantityItem,
}

func (s *scan) atNumber(i int) int { return s.first(i, numberRules...) }

var mixedRules = []func(*scan, int) int{
	(*scan).tail, (*scan).storm, (*scan).prefixed, (*scan).when, (*scan).address, (*scan).crossing, (*scan).vehicleAt, (*scan).item,
}

func (s *scan) atMixed(i int) int { return s.first(i, mixedRules...) }

// atWord goes by the class of the word, so that most words cost one look.
func (s *scan) atWord(i int) int {
	c := s.toks[i].class
	if c&cue != 0 {
		if j := s.cued(i); j > i {
			return j
		}
	}
	if c&(descriptor|raceWord) != 0 {
		if j := s.descriptor(i); j > i {
			return j
		}
	}
	if c&numberWord != 0 {
		if j := s.first(i, (*scan).count, (*scan).age); j > i {
			return j
		}
	}
	if c&(timeWord|month|weekday) != 0 {
		if j := s.when(i); j > i {
			return j
		}
	}
	if c&harm != 0 {
		if j := s.harmed(i); j > i {
			return j
		}
	}
	if c&road != 0 {
		if j := s.crossing(i); j > i {
			return j
		}
	}
	if c&(color|shade|carMake|carModel) != 0 {
		if j := s.vehicleAt(i); j > i {
			return j
		}
	}
	if c&(itemWord|hazardWord) != 0 {
		if j := s.first(i, (*scan).item, (*scan).hazard); j > i {
			return j
		}
	}
	if s.toks[i].letters == lower {
		return i
	}
	return s.first(i, (*scan).prefixed, (*scan).county, (*scan).facility, (*scan).city, (*scan).organization, (*scan).crossing, (*scan).name)
}
