package exercise

import "strings"

// Common names, most frequent first.
var (
	surnames = strings.Fields(`Smith Johnson Williams Brown Jones Davis Miller Wilson Moore Taylor Anderson Thomas Jackson White Harris
 Martin Thompson Robinson Clark Lewis Lee Walker Hall Allen Young King Wright Hill Scott Green Adams Baker Nelson Carter Mitchell
 Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper
 Richardson Cox Howard Ward Peterson Gray James Watson Brooks Kelly Sanders Price Bennett Wood Barnes Ross Henderson Coleman
 Jenkins Perry Powell Long Patterson Hughes Washington Butler Simmons Foster Bryant Alexander Russell Griffin Hayes Myers Ford
 Hamilton Graham Sullivan Wallace Woods Cole West Jordan Owens Reynolds Fisher Ellis Harrison Gibson McDonald Cruz Marshall
 Garcia Martinez Rodriguez Hernandez Lopez Gonzalez Perez Nguyen Tran Pham Patel Khan Chen Wang Kim Cuevas Ladner Necaise Favre
 Moran Lizana Dedeaux Saucier Bourgeois Hebert Landry Broussard Fontenot Thibodeaux Boudreaux`)
	givenNames = strings.Fields(`James Mary John Patricia Robert Linda Michael Barbara William Elizabeth David Jennifer Richard Maria Charles
 Susan Joseph Margaret Thomas Dorothy Christopher Lisa Daniel Nancy Paul Karen Mark Betty Donald Helen George Sandra Kenneth Donna
 Steven Carol Edward Ruth Brian Sharon Ronald Michelle Anthony Laura Kevin Sarah Jason Kimberly Matthew Deborah Gary Jessica Timothy
 Shirley Jose Cynthia Larry Angela Jeffrey Melissa Frank Brenda Scott Amy Eric Anna Stephen Rebecca Andrew Virginia Raymond Kathleen
 Gregory Pamela Joshua Martha Jerry Debra Dennis Amanda Walter Stephanie Patrick Carolyn Peter Christine Harold Marie Douglas Janet
 Henry Catherine Carl Frances Arthur Ann Ryan Joyce Roger Diane Joe Alice Juan Julie Jack Heather Albert Teresa Jonathan Doris Justin
 Gloria Terry Evelyn Gerald Jean Keith Cheryl Samuel Mildred Willie Katherine Ralph Joan Lawrence Ashley Nicholas Judith Roy Rose
 Benjamin Janice Bruce Kelly Brandon Nicole Adam Judy Harry Christina Fred Kathy Wayne Theresa Billy Beverly Steve Denise Louis Tammy
 Jeremy Irene Aaron Jane Randy Lori Howard Rachel Eugene Marilyn Carlos Andrea Russell Kathryn Bobby Louise Victor Sara Ernest Anne
 DeAndre Latoya Marquis Keisha Tyrell Shanice Darius Ebony Jamal Tanisha Thanh Linh Minh Priya Ravi Omar Layla Hassan Elena Ivan`)
	// stems and endings make the long tail of rarer surnames.
	stems = strings.Fields(`Ash Bar Beck Black Brad Bram Bran Cald Carl Chat Clay Col Cran Cres Dal Den Dray East El Fair Fen Fitz Gar
 Glen Gran Hal Ham Har Hart Hazel Hol Hunt Ing Kemp Ken Kir Lang Lin Lock Lyn Mar May Mer Mid Nor Oak Or Pem Pen Pick Quin Rad Ram Red
 Rock Ros Ruth Sand Sel Shel Stan Stock Sut Tem Thorn Tip Under Val Wake Wal War Wel West Whit Win Wood Wych York`)
	endings = strings.Fields(`bourne bridge brook burn by cliff combe cott croft dale den don field ford gate grave ham hurst ingham land ley
 lock low man mere more ney pole port ridge sett shaw side son stead stone stow ton vale ville ward way well wick wood worth wright
 ington stein berg baum holt acre beck garth holm thorpe toft`)
)

var (
	surnameRank = newZipf(len(surnames), 6)
	givenRank   = newZipf(len(givenNames), 8)
)

// surname is a common one in three cases of ten, as in the census.
func (r *rng) surname() string {
	if r.chance(300) {
		return surnames[r.zipf(surnameRank)]
	}
	return one(r, stems) + one(r, endings)
}

// common is one of the thirty most frequent surnames: for noise that looks alike.
func (r *rng) common() string { return surnames[r.n(30)] }

func (r *rng) given() string { return givenNames[r.zipf(givenRank)] }

// misspelt changes one letter after the first two, or drops or doubles it.
func misspelt(r *rng, s string) string {
	if len(s) < 4 {
		return s
	}
	k := r.between(2, len(s)-1)
	switch r.n(3) {
	case 0:
		return s[:k] + s[k+1:]
	case 1:
		return s[:k] + s[k:k+1] + s[k:]
	}
	swap := map[byte]string{'a': "e", 'e': "a", 'i': "y", 'o': "u", 'u': "o", 'y': "i", 'n': "m", 'm': "n", 't': "d", 'd': "t", 's': "z", 'l': "ll", 'r': "rr", 'g': "k", 'k': "c", 'b': "p", 'p': "b", 'h': "", 'w': "v", 'f': "ph", 'c': "k"}
	to, ok := swap[s[k]]
	if !ok {
		to = "e"
	}
	return s[:k] + to + s[k+1:]
}

// spelling is one name as two services write it.
type spelling struct{ given, family, otherGiven, otherFamily string }

// spellings are names that two offices write in two ways, whether by ear or by
// another table of transliteration. The first letters and the sound stay.
var spellings = []spelling{
	{"Aleksey", "Sorokin", "Alexey", "Sorokyn"},
	{"Stephan", "Reinhardt", "Stefan", "Reinhart"},
	{"Frederik", "Whitfeld", "Frederick", "Whitfield"},
	{"Geoffrey", "Lindqvist", "Geofrey", "Lindquist"},
	{"Stuart", "Macalister", "Stewart", "McAlister"},
	{"Mikhail", "Dragunov", "Mikail", "Draghunov"},
	{"Kristian", "Vandermeer", "Christian", "Vandermere"},
	{"Jonathon", "Fitzwalter", "Jonathan", "Fitzwaltar"},
}
