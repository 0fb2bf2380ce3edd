package exercise

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// vague says whether this report is one of those that say too little.
func (s *story) vague() bool { return s.rng.chance(110) }

// slip misspells a person's name now and then.
func (s *story) slip(p person) person {
	if s.rng.chance(130) {
		if s.rng.chance(600) {
			p.family = misspelt(&s.rng, p.family)
		} else {
			p.given = misspelt(&s.rng, p.given)
		}
	}
	return p
}

// named is a person's entity, with as much of the date of birth as is known.
func (s *story) named(p person, ids ...*wf.Identifier) *wf.Entity {
	e := s.slip(p).subject(ids...)
	switch x := s.rng.n(1000); {
	case x < 560:
		birth(e, p.born, 3)
	case x < 640:
		birth(e, p.born, 1)
	case x < 680 && p.born.day <= 12:
		birth(e, date{p.born.year, p.born.day, p.born.month}, 3)
	}
	return e
}

// alike are the characters of a plate that are taken for one another.
var alike = map[byte]string{
	'B': "8", '8': "B3", 'D': "0", '0': "D8", 'S': "5", '5': "S6", 'Z': "2", '2': "Z7", '1': "7", '7': "1", 'G': "6", '6': "G5",
	'E': "F", 'F': "E", 'M': "N", 'N': "M", 'V': "Y", 'Y': "V", 'C': "G", 'K': "X", 'X': "K", 'P': "R", 'R': "P", '3': "8", '4': "9", '9': "4",
}

// seen is a vehicle's plate as somebody saw it: mostly whole, now and then with
// a character misread or unseen.
func (s *story) seen(v vehicle) *wf.Identifier {
	r := &s.rng
	switch x := r.n(1000); {
	case x < 60:
		k := r.n(len(v.plate))
		if other := alike[v.plate[k]]; other != "" {
			return ident(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, v.plate[:k]+r.from(other, 1)+v.plate[k+1:], "US-MS")
		}
	case x < 110:
		return partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, unseen(v.plate, r.n(len(v.plate))), "US-MS")
	case x < 140:
		k := r.n(len(v.plate) - 1)
		return partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, unseen(v.plate, k, k+1), "")
	}
	return v.registration()
}

// heard is a person's telephone number as it was taken down.
func (s *story) heard(p person) *wf.Identifier {
	r := &s.rng
	number := p.phone
	switch x := r.n(1000); {
	case x < 35:
		number = transposed(r, number)
	case x < 70:
		k := len(number) - 1 - r.n(6)
		number = number[:k] + strings.Replace("0123456789", number[k:k+1], "", 1)[r.n(9):][:1] + number[k+1:]
	}
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, number, "")
}
