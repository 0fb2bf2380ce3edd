package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// items are weapons, materials and drugs by the words for them; a hyphen is a
// space. A maker is kept for the serial number that follows.
var items = func() []struct{ words, kind, name, maker string } {
	var out []struct{ words, kind, name, maker string }
	for line := range strings.SplitSeq(`weapon:AR-15|AR 15|AK-47|AR-10|M4 carbine|M16|SKS rifle|Glock 17=Glock|Glock 19=Glock|Glock 22=Glock|Glock 43=Glock|Glock=Glock|Smith & Wesson=Smith & Wesson|Sig Sauer=Sig Sauer|Beretta=Beretta|Taurus G2C=Taurus|Ruger=Ruger|Remington 870=Remington|Mossberg 500=Mossberg|semi automatic rifle|assault rifle|hunting rifle|rifle|shotgun|handgun|pistol|revolver|machine gun|silencer|suppressor|ghost gun|machete|pipe bomb|pipe bombs|improvised explosive device|IED|hand grenade|grenade|molotov cocktail|rocket launcher|body armor|bump stock|high capacity magazine
material:ammonium nitrate|potassium chlorate|hydrogen peroxide|acetone peroxide|TATP|black powder|smokeless powder|blasting caps|detonators|detonator|detonating cord|dynamite|C-4|Semtex|PETN|thermite|tannerite|nitromethane|nitroglycerin|sulfuric acid|nitric acid|sodium azide|potassium cyanide|sodium cyanide|cyanide|ricin|anthrax|sarin|chlorine gas|anhydrous ammonia|cesium 137|cobalt 60|uranium|propane tanks|pressure cooker
drug:fentanyl|methamphetamine|heroin|cocaine|marijuana|oxycodone|crack cocaine|xylazine|MDMA`, "\n") {
		kind, list, _ := strings.Cut(line, ":")
		for e := range strings.SplitSeq(list, "|") {
			name, maker, _ := strings.Cut(e, "=")
			out = append(out, struct{ words, kind, name, maker string }{strings.Join(strings.FieldsFunc(foldASCII(name), func(r rune) bool { return r == '-' || r == ' ' }), " "), kind, strings.Replace(name, "AR 15", "AR-15", 1), maker})
		}
	}
	return out
}()

// item is a weapon, material or drug of the table.
func (s *scan) item(i int) int {
	if !s.is(i, itemWord) {
		return i
	}
	best, end := -1, i
	for n := range items {
		if j := s.itemPhrase(i, items[n].words); j > end {
			best, end = n, j
		}
	}
	if best < 0 || (s.word(i) == "glock" || s.word(i) == "ruger" || s.word(i) == "beretta" || s.word(i) == "ied") && s.tok(i).letters == lower {
		return i
	}
	it := items[best]
	if it.maker != "" {
		s.maker = it.maker
	}
	w := &wf.Item{Kind: it.kind, Name: it.name, Quantity: s.quantity(i)}
	s.add(Finding{Kind: Item, Normal: it.name, Why: "a word of the table of weapons and materials", Item: w}, i, end)
	return end
}

func (s *scan) itemPhrase(i int, words string) int {
	j := i
	for w := range strings.SplitSeq(words, " ") {
		if j > i && s.symbolAt(j, "-") {
			j++
		}
		if s.word(j) != w {
			return i
		}
		j++
	}
	return j
}

var units = wordSet("lb lbs pound pounds kg kilograms gram grams g oz ounces gallon gallons liters bags bag boxes box sticks rounds tons ton drums cases kilos")

// quantity is what stands before an item: "50 lbs of".
func (s *scan) quantity(i int) string {
	k := i - 1
	if s.word(k) == "of" {
		k--
	}
	k -= boolInt(s.symbolAt(k, "."))
	if units[s.word(k)] {
		if _, ok := s.amount(k - 1); ok && !s.symbolAt(k-2, ".,") {
			return s.word(k-1) + " " + s.word(k)
		}
	}
	return ""
}

// quantityItem lets "9mm" and bare numbers pass on to the item itself.
func (s *scan) quantityItem(i int) int { return s.item(i) }

// organization is a name before a word for a firm: "Delta Crane Services LLC".
func (s *scan) organization(i int) int {
	if !s.capital(i) || s.tok(i).class&stop != 0 && s.tok(i).class&(surnameAlso|given|givenAlso|direction|stateName|color|carMake) == 0 && !streetName[s.word(i)] || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"'“") {
		return i
	}
	limit := 7
	if s.shouted {
		limit = 4
	}
	for k := i + 1; k < i+limit && k < len(s.toks); k++ {
		t := s.tok(k)
		if t.class&orgSuffix != 0 && k > i && (t.letters != lower) || s.word(k) == "l" && s.symbolAt(k+1, ".") && s.word(k+2) == "l" && s.word(k+4) == "c" {
			end := k + 1
			if s.word(k) == "l" {
				end = k + 5
			}
			name := strings.NewReplacer(" ,", "", ",", "").Replace(normal.Text(s.span(i, k)))
			if len(name) < 3 {
				return i
			}
			f := Finding{Kind: Organization, Normal: foldASCII(name), Why: "a name before a word for a firm"}
			f.Item = &wf.Item{Kind: "organization", Name: strings.TrimRight(name, " .-")}
			s.add(f, i, end)
			return end
		}
		if t.shape == symbol && !s.symbolAt(k, ",&-'’") || t.shape != symbol && t.letters == lower && s.word(k) != "of" && s.word(k) != "and" && t.shape != number || t.line {
			return i
		}
		if s.shouted && t.class&stop != 0 {
			return i
		}
	}
	return i
}
