package fusion

// What a word in the name of a thing weighs: how rare it is, by a fixed list.
// Words in no list are rare, the longer the rarer; model numbers rarest.
const wordNoise = 1500 // thousandths of a bit: what weighs less says nothing

// little holds words that only join others.
var little = words(`a an the of and or for in on at to from by with without as is are be it its this that into over under between
	via per vs versus not no using based toward towards de la le les el los las du des del der die das von und et y i new`)

// business holds words that many names of organizations, places and products carry.
var business = words(`inc incorporated llc ltd limited corp corporation co company companies plc gmbh sa ag group holdings partners associates
	restaurant restaurants cafe grill bar bistro diner pizza kitchen house deli food foods hotel inn motel resort club lounge steakhouse coffee tea
	hospital medical center centre clinic health healthcare care regional memorial general community university college school academy institute
	church baptist methodist catholic temple mosque center bank trust insurance store stores shop market mart mall supply services service
	systems system solutions technologies technology international national american united states global world north south east west
	northern southern eastern western central city county state federal department office agency bureau authority commission board district
	police fire station plant facility building tower park plaza airport port bridge dam lake river street road avenue
	association society foundation council union league committee journal conference proceedings transactions review letters magazine
	feed seed towing tire tires auto repair florist flowers laundry cleaners storage plumbing roofing salon barber bakery pharmacy drug hardware
	lumber motor motors parts glass electric heating cooling pest lawn realty properties rental rentals law firm accounting dental construction
	edition version volume vol series set pack kit black white red blue green silver gray grey color digital wireless portable professional pro
	plus mini max deluxe standard premium original classic home office computer software hardware camera phone printer tv video audio game
	movie film story love life day night man men woman women boy girl king queen war dead last first great big little old young`)

// common holds everyday and learned words.
var common = words(`data database databases information management model models modeling analysis approach approaches method methods
	design designing development application applications process processing query queries learning network networks web internet online
	research study theory introduction language languages knowledge intelligence efficient effective performance parallel distributed dynamic
	active object objects oriented relational temporal spatial mining search index indexing algorithm algorithms optimization framework
	architecture integration implementation evaluation techniques technique problem problems issues report survey overview tutorial guide
	editor editorial guest paper influential notes note foreword preface letter special issue panel workshop symposium abstract keynote
	large high low fast real time multi view views access control security support access structure structures schema
	storage server client user users interface engineering science computing computer transaction concurrency recovery
	suspicious activity person persons vehicle report alert warning notice update advisory incident event information request unknown subject
	male female near area local public private open closed free best top good better more most all any some many few one two three four five
	year years month week today morning evening night people family children child house home work working water power energy gas oil
	electric light air land sea earth sun fire ice snow rain storm flood tornado hurricane earthquake wind
	attack attacks bomb threat gun shooting explosion killed dead injured police officer man woman said says after before during
	against about through across around near up down out off back again other others another same different next`)

// listedWords is what the lists say, names of people among them.
var listedWords = func() map[string]int32 {
	out := map[string]int32{}
	least := func(w string, b int32) {
		if have, ok := out[w]; !ok || b < have {
			out[w] = b
		}
	}
	for w, b := range givenBits.all() {
		least(w, b)
	}
	for w, b := range surnameBits.all() {
		least(w, b)
	}
	for _, list := range []map[string]bool{common, business} {
		for w := range list {
			least(w, 5000)
		}
	}
	for w := range little {
		least(w, 400)
	}
	return out
}()

func bitsOfWord(s string) int32 {
	if b, ok := listedWords[s]; ok {
		return b
	}
	if n := len(s) - 1; n >= 3 && s[n] == 's' {
		if b, ok := listedWords[s[:n]]; ok {
			return b
		}
	}
	digits := 0
	for i := range len(s) {
		if digit(s[i]) {
			digits++
		}
	}
	switch {
	case digits > 0 && digits == len(s):
		return numberBits(s)
	case digits > 0:
		return min(4000+2000*int32(len(s)), 13_000) // a model number
	case len(s) <= 2:
		return 2500 + 1000*int32(len(s))
	}
	return min(6000+800*int32(len(s)), 11_500)
}

func numberBits(s string) int32 {
	if len(s) == 4 && (s[:2] == "19" || s[:2] == "20") {
		return 4000 // a year
	}
	return min(1500+1500*int32(len(s)), 11_000)
}
