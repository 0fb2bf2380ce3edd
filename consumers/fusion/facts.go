package fusion

import "slices"

// facts is what the engine keeps of a report: features in normal form and
// what the picture shows of it. It never holds a title, a narrative or a
// description.
type facts struct {
	revision uint64
	time     int64 // event time
	reported int64
	expires  int64 // 0: does not run out
	leave    int64 // 0: stays

	keys      []key  // of posting lists (key.list), sorted, unique
	ids       []mark // sorted by key, unique
	persons   []person
	places    []spot // finest first
	vehicles  []vehicle
	addresses []address
	things    []thing
	counties  []uint32 // sorted FIPS codes
	outline   []geo    // hull of the polygons
	ignored   []listed // on a stop-list

	behaviors uint32
	hazard    uint64 // hash of the event
	incident  uint64 // hash of the incident type
	rarity    weight // of the hazard

	sketch [sketchSize]uint32 // of the narrative; zero when too short

	id     reportID
	record string
	cell   uint32
	agency uint32
	origin uint32 // first originator

	own       uint64 // hash of the own record
	supersede []uint64

	kind        uint8
	severity    uint8
	reliability uint8
	credibility uint8
	cancel      bool
}

// has says whether k or its list is among the keys.
func (f *facts) has(k key) bool {
	_, ok := slices.BinarySearch(f.keys, k.list())
	return ok
}

// mark is one identifier.
type mark struct {
	key    key
	issuer uint64 // hash, 0 unknown
	value  string // as shown
	folded string // a plate, as it is compared
	kind   weight
	entity uint8 // which entity of the report, 0 none
	own    bool  // the report's own record name, no evidence against another's own
	hidden uint8 // unseen characters of a partial plate
}

// listed is an identifier that a stop-list takes all weight from.
type listed struct {
	key   key
	value string
	kind  weight
}

// person is one human being as described.
type person struct {
	names  []name
	birth  birth
	age    uint8
	entity uint8
	sex    uint8 // 'f', 'm' or 0
	line   uint8 // 1 junior, 2 senior, 3 the third ...; 0 unsaid
	// numbers of the person, to compare those that nearly agree
	numbers []number
}

// name is a name in parts: given is the first of the given names, middle the rest.
type name struct {
	given, middle, family string
}

type birth struct {
	year  uint16
	month uint8
	day   uint8
}

type number struct {
	class uint64 // kind and issuer
	value string
}

// vehicle is hashes of what was seen of one; 0 is unseen.
type vehicle struct{ make, model, color uint32 }

// geo is a position in millionths of a degree.
type geo struct{ lat, lon int32 }

// spot is a place with its uncertainty in metres.
type spot struct {
	geo
	radius int32
}
