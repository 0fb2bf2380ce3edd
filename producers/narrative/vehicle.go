package narrative

import (
	"strconv"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// carMakes are makers by the words people write, with the name in normal form.
var carMakes = map[string]string{
	"acura": "Acura", "audi": "Audi", "bmw": "BMW", "buick": "Buick", "cadillac": "Cadillac", "chevrolet": "Chevrolet", "chevy": "Chevrolet", "chev": "Chevrolet", "chrysler": "Chrysler",
	"dodge": "Dodge", "fiat": "Fiat", "ford": "Ford", "freightliner": "Freightliner", "genesis": "Genesis", "gmc": "GMC", "honda": "Honda", "hummer": "Hummer", "hyundai": "Hyundai",
	"infiniti": "Infiniti", "international": "International", "isuzu": "Isuzu", "jaguar": "Jaguar", "jeep": "Jeep", "kawasaki": "Kawasaki", "kenworth": "Kenworth", "kia": "Kia", "lexus": "Lexus",
	"lincoln": "Lincoln", "mack": "Mack", "mazda": "Mazda", "mercedes": "Mercedes-Benz", "mercury": "Mercury", "mini": "Mini", "mitsubishi": "Mitsubishi", "nissan": "Nissan",
	"oldsmobile": "Oldsmobile", "peterbilt": "Peterbilt", "plymouth": "Plymouth", "pontiac": "Pontiac", "porsche": "Porsche", "ram": "Ram", "saturn": "Saturn", "scion": "Scion",
	"subaru": "Subaru", "suzuki": "Suzuki", "tesla": "Tesla", "toyota": "Toyota", "volkswagen": "Volkswagen", "vw": "Volkswagen", "volvo": "Volvo", "yamaha": "Yamaha", "harley": "Harley-Davidson",
	"toyt": "Toyota", "hond": "Honda", "niss": "Nissan", "dodg": "Dodge", "merz": "Mercedes-Benz", "rivian": "Rivian",
}

// surnames are makers that are also names, towns or words: alone, without a
// model, a color or a year, they name no vehicle.
var models = []struct{ make, models string }{
	{"Ford", "F-150 F-250 F-350 F-450 F150 F250 F350 Transit Explorer Expedition Escape Edge Fusion Focus Taurus Mustang Ranger Bronco Econoline Crown-Victoria E-350 E-250 Maverick Fiesta Flex"},
	{"Chevrolet", "Silverado Tahoe Suburban Malibu Impala Camaro Corvette Express Colorado Equinox Traverse Cruze Trailblazer Blazer Cobalt Monte-Carlo S-10 S10 Sonic Trax Avalanche"},
	{"GMC", "Sierra Yukon Savana Acadia Terrain Canyon Envoy Jimmy"},
	{"Dodge", "Charger Challenger Durango Caravan Grand-Caravan Dakota Avenger Journey Dart Neon Magnum Nitro Stratus"},
	{"Ram", "1500 2500 3500 Promaster"},
	{"Jeep", "Wrangler Grand-Cherokee Cherokee Liberty Compass Patriot Renegade Gladiator"},
	{"Chrysler", "300 200 Sebring Pacifica Town-Country PT-Cruiser"},
	{"Toyota", "Camry Corolla Tacoma Tundra Highlander RAV4 4Runner Sienna Prius Avalon Sequoia Yaris Land-Cruiser Matrix"},
	{"Honda", "Accord Civic CR-V CRV Pilot Odyssey Fit Ridgeline Element HR-V Passport"},
	{"Nissan", "Altima Maxima Sentra Rogue Pathfinder Frontier Titan Murano Xterra Armada Versa Juke Quest 350Z 370Z"},
	{"Hyundai", "Elantra Sonata Tucson Santa-Fe Accent Kona Palisade Veloster"},
	{"Kia", "Optima Sorento Soul Sportage Forte Rio Sedona Telluride K5"},
	{"Mazda", "Mazda3 Mazda6 CX-5 CX-9 Miata"},
	{"Subaru", "Outback Forester Impreza Legacy Crosstrek WRX"},
	{"Volkswagen", "Jetta Passat Golf Tiguan Atlas Beetle"},
	{"Buick", "LeSabre Enclave LaCrosse Regal Century Encore Lucerne"},
	{"Cadillac", "Escalade CTS Deville SRX XT5 ATS"},
	{"Lincoln", "Navigator Town-Car MKZ MKX Continental Aviator"},
	{"Mercury", "Grand-Marquis Mountaineer Sable Milan Mariner"},
	{"Pontiac", "Grand-Am Grand-Prix G6 Bonneville Sunfire Vibe Firebird"},
	{"Acura", "MDX TL TLX RDX Integra ILX TSX"},
	{"Lexus", "ES350 RX350 IS250 GX460 LX570 GS350 ES RX IS GX"},
	{"Infiniti", "G35 G37 Q50 QX60 QX80 FX35"},
	{"BMW", "328i 335i 535i X3 X5 M3 M5 530i 750i"},
	{"Mercedes-Benz", "Sprinter C300 E350 S550 GLE GLC C-Class E-Class"},
	{"Volvo", "XC90 XC60 S60 S80 VNL"},
	{"Mitsubishi", "Lancer Outlander Eclipse Galant Mirage"},
	{"Tesla", "Model-3 Model-Y Model-S Model-X"},
	{"Saturn", "Vue Ion Aura"},
}

// sayingModels are models that nothing else is called: they name their maker.
var sayingModels = wordSet("f150 f250 f350 silverado camry corolla altima sentra tahoe accord elantra maxima tacoma 4runner rav4 malibu impala escalade durango sienna odyssey wrangler rogue tundra xterra jetta passat sorento crv equinox trailblazer mustang corvette camaro prius")

// modelMakes is every model by its first word without hyphens, with its makers.
var modelMakes = func() map[string][]model {
	m := map[string][]model{}
	for _, row := range models {
		for w := range strings.FieldsSeq(row.models) {
			name := strings.ReplaceAll(w, "-", " ")
			if len(w) <= 5 || w == "F-150" {
				name = w
			}
			key, rest, _ := strings.Cut(foldASCII(strings.ReplaceAll(w, "-", " ")), " ")
			switch {
			case len(w) == 4 && w[0] == 'F' && isDigit(w[1]):
				name = "F-" + w[1:]
			case w == "CRV":
				name = "CR-V"
			case w == "S10":
				name = "S-10"
			}
			m[key] = append(m[key], model{row.make, name, rest})
		}
	}
	return m
}()

// model is a model's maker, its name, and the words after its first.
type model struct{ make, name, rest string }

// vehicleAt reads "2014 dark blue Ford F-150", from any of its parts on.
func (s *scan) vehicleAt(i int) int {
	if s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"'/,") {
		return i
	}
	v, j := &wf.Vehicle{}, i
	if y, k := s.modelYear(j); y > 0 {
		v.Year, j = y, k
	}
	for s.is(j, shade) {
		j++
		j += boolInt(s.symbolAt(j, "-") || s.symbolAt(j, ","))
	}
	if s.is(j, color) && !s.is(j, carMake) {
		v.Color = colorNames(s.word(j))
		j++
		for s.symbolAt(j, "/") && s.is(j+1, color) || s.word(j) == "over" && s.is(j+1, color) || s.symbolAt(j, ",") && (s.is(j+1, carMake) || s.tok(j+1).shape == number) {
			j += 1 + boolInt(s.is(j+1, color))
		}
		if s.word(j) == "colored" || s.word(j) == "in" && s.word(j+1) == "color" {
			j++
		}
	}
	if y, k := s.modelYear(j); y > 0 && v.Year == 0 {
		v.Year, j = y, k
	}
	for s.word(j) == "older" || s.word(j) == "newer" {
		j++
	}
	named := s.makeModel(v, &j)
	if v.Color == "" {
		s.trailingColor(v, &j, named)
	}
	for s.is(j, carStyle) || s.symbolAt(j, ",") && s.is(j+1, carStyle) && named != "" || s.word(j) == "cargo" || s.word(j) == "door" || s.word(j) == "box" && s.word(j+1) == "truck" || s.word(j) == "passenger" && s.is(j+1, carStyle) || s.word(j) == "panel" && s.is(j+1, carStyle) {
		if s.symbolAt(j, ",") {
			j++
		}
		if s.is(j, carStyle) {
			v.Style = s.word(j)
		}
		j++
	}
	switch {
	case named == "", named == "make" && v.Color == "" && v.Year == 0 && v.Style == "":
		if v.Color == "" || v.Style == "" {
			return i
		}
	case named == "make" && v.Style == "" && v.Year == 0 && surnameMake[v.Make] && !s.plateSoon(j):
		return i
	}
	f := Finding{Kind: Vehicle, Why: "color, make and model", Vehicle: v}
	f.Normal = strings.Join(strings.Fields(yearText(v.Year)+" "+v.Color+" "+v.Make+" "+v.Model+" "+v.Style), " ")
	if v.Make == "" {
		f.Why = "color and body style"
	}
	s.vehicle, s.vehicleEnd = s.add(f, i, j), j
	return j
}

var surnameMake = map[string]bool{"Ford": true, "Lincoln": true, "Mercury": true, "Mack": true, "International": true, "Mini": true, "Ram": true, "Saturn": true, "Genesis": true, "Plymouth": true, "Isuzu": false}

func yearText(y int32) string {
	if y == 0 {
		return ""
	}
	return strconv.Itoa(int(y))
}

// plateSoon says whether a plate or another mark of a vehicle follows.
func (s *scan) plateSoon(j int) bool {
	for k := j; k < j+5; k++ {
		if plateWord(s.word(k)) || s.word(k) == "vin" || s.word(k) == "license" {
			return true
		}
	}
	return false
}

func (s *scan) modelYear(i int) (int32, int) {
	w := s.word(i)
	if s.tok(i).shape != number || len(w) != 4 || w < "1950" || w > "2035" {
		return 0, i
	}
	// A year of a vehicle stands before its color or make; "in 1999 Ford" is none.
	switch s.word(i - 1) {
	case "in", "since", "by", "of", "from", "until", "during":
		return 0, i
	}
	if !s.is(i+1, color|shade|carMake|carModel) {
		return 0, i
	}
	return leading(w), i + 1
}

// colorNames writes the abbreviations of records in full.
func colorNames(w string) string {
	switch w {
	case "grey", "gry", "charcoal":
		return "gray"
	case "blk":
		return "black"
	case "wht", "whi":
		return "white"
	case "sil", "slv":
		return "silver"
	case "blu", "navy":
		return "blue"
	case "grn", "teal":
		return "green"
	case "brn":
		return "brown"
	case "mar", "burgundy":
		return "maroon"
	case "bge":
		return "beige"
	case "gld", "champagne":
		return "gold"
	}
	return w
}

// makeModel reads maker and model at j; how much was named: "", "make", "model".
func (s *scan) makeModel(v *wf.Vehicle, j *int) string {
	k := *j
	if s.word(k) == "land" && s.word(k+1) == "rover" {
		v.Make, *j = "Land Rover", k+2
		return "model"
	}
	if !s.is(k, carMake) {
		return s.modelAlone(v, j)
	}
	if s.tok(k).letters == lower && !(v.Color != "" || v.Year > 0 || s.is(k+1, carModel)) {
		return ""
	}
	v.Make = carMakes[s.word(k)]
	k++
	if v.Make == "Mercedes-Benz" || v.Make == "Harley-Davidson" {
		if s.symbolAt(k, "-") && (s.word(k+1) == "benz" || s.word(k+1) == "davidson") {
			k += 2
		} else if s.word(k) == "benz" || s.word(k) == "davidson" {
			k++
		}
	}
	if v.Make == "Dodge" && s.word(k) == "ram" {
		v.Make, k = "Ram", k+1
	}
	*j = k
	if m, next, ok := s.model(k, v.Make); ok {
		v.Model, *j = m, next
		return "model"
	}
	return "make"
}

// modelAlone is a model without its maker: "a black Camry".
func (s *scan) modelAlone(v *wf.Vehicle, j *int) string {
	k := *j
	list := modelMakes[s.word(k)]
	if len(list) == 0 {
		if s.symbolAt(k+1, "-") { // F-150
			list = modelMakes[s.word(k)]
		}
		if len(list) == 0 {
			return ""
		}
	}
	maker := list[0].make
	m, next, ok := s.model(k, maker)
	if !ok {
		return ""
	}
	saying := sayingModels[foldASCII(strings.ReplaceAll(strings.ReplaceAll(m, "-", ""), " ", ""))]
	if !saying && (v.Color == "" || s.tok(k).letters == lower || s.shouted) || saying && v.Color == "" && v.Year == 0 && s.tok(k).letters == lower {
		return ""
	}
	if !saying && !s.is(next, carStyle) && !s.plateSoon(next) {
		return ""
	}
	v.Make, v.Model, *j = maker, m, next
	return "model"
}

// model reads a maker's model at k.
func (s *scan) model(k int, maker string) (name string, next int, ok bool) {
	w := s.word(k)
	best := -1
	for n, m := range modelMakes[w] {
		if m.make != maker {
			continue
		}
		at := k + 1
		if m.rest != "" {
			for r := range strings.FieldsSeq(m.rest) {
				if s.symbolAt(at, "-&") {
					at++
				}
				if s.word(at) != r {
					at = -1
					break
				}
				at++
			}
			if at < 0 {
				continue
			}
		}
		if best < 0 || len(m.rest) > len(modelMakes[w][best].rest) {
			best, next = n, at
		}
	}
	if best < 0 {
		return "", k, false
	}
	return modelMakes[w][best].name, next, true
}

// trailingColor is "Ford F-150, white" and the like.
func (s *scan) trailingColor(v *wf.Vehicle, j *int, named string) {
	if named != "model" {
		return
	}
	k := *j
	if s.symbolAt(k, ",(") {
		k++
	}
	if k > *j && s.is(k, color) && s.symbolAt(k+1, ",.;)") || s.word(k) == "in" && s.is(k+1, color) {
		k += boolInt(s.word(k) == "in")
		v.Color, *j = colorNames(s.word(k)), k+1
	}
}
