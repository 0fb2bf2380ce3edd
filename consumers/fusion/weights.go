package fusion

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// weight names one row of the table.
type weight uint8

// The rows. Names and figures stand in the table below.
const (
	wNone weight = iota
	wReference
	wVIN
	wHash
	wPersonNumber
	wDeviceNumber
	wCraft
	wEventKey
	wSerial
	wPlateIssued
	wPlate
	wPlateOther
	wPlatePartial
	wPlateClose
	wPlateDiffers
	wPhone
	wPhoneClose
	wPhoneDiffers
	wEmail
	wEmailClose
	wEmailBox
	wAccount
	wURL
	wDomain
	wSite
	wIP
	wCIDR
	wNetwork
	wCVE
	wObject
	wStreet
	wStreetCommon
	wStreetClose
	wStreetDiffers
	wHouse
	wHouseClose
	wHouseDiffers
	wUnit
	wPostcode
	wPostcodeClose
	wPostcodeDiffers
	wLocality
	wCityLarge
	wCityClose
	wCityDiffers
	wStateDiffers
	wTownCap
	wAddressCap
	wOrganization
	wOrganizationDiffers
	wFacility
	wWork
	wWorkDiffers
	wWorkYear
	wWorkCap
	wWorkMakers
	wMakersDiffer
	wWorkNumber
	wTitle
	wItem
	wCraftName
	wTarget
	wOtherID
	wHub
	wIDCap
	wNumberOneEdit
	wNumberTwoEdits
	wNumberDiffers
	wSurname
	wSurnameSimilar
	wSurnameLike
	wSurnamePart
	wSurnameDiffers
	wGiven
	wGivenSimilar
	wGivenLike
	wGivenDiffers
	wNamesSwapped
	wInitial
	wInitialDiffers
	wMiddle
	wMiddleDiffers
	wSuffixDiffers
	wSexDiffers
	wBirth
	wBirthOneDigit
	wBirthSwapped
	wBirthTwoParts
	wBirthNear
	wBirthYearNear
	wBirthMonth
	wBirthYear
	wBirthDiffers
	wAge
	wAgeDiffers
	wAgeBirth
	wSecondPerson
	wHousehold
	wNamesakes
	wVehicleMake
	wVehicleModel
	wVehicleColor
	wPlace150m
	wPlace1km
	wPlace5km
	wPlace25km
	wPlaceSame
	wPlaceCrowded
	wPlaceApart
	wTimeMinute
	wInstant
	wInstantApart
	wTime30min
	wTime6h
	wBehavior
	wBehaviorDiffers
	wHazardRare
	wHazard
	wHazardCommon
	wIncidentType
	wMalware
	wCopy
	weightCount
)

// row is one line of the weight table.
type row struct {
	name  string
	bits  int32 // thousandths of a bit
	basis string
}

// table is every weight there is: log2(m/u) in thousandths of a bit, fixed, the
// same for every cell and every data set.
var table = [weightCount]row{
	wNone:                {"", 0, ""},
	wReference:           {"reference", 30000, "one record names the other, or both name a third; u < 2^-30"},
	wVIN:                 {"vin", 30000, "belongs to one vehicle"},
	wHash:                {"hash", 30000, "belongs to one file"},
	wPersonNumber:        {"person-number", 30000, "passport, licence, SSN, national id, FBI number with its issuer: one person"},
	wDeviceNumber:        {"device-number", 30000, "IMEI, MAC: one device"},
	wCraft:               {"craft", 30000, "tail number, IMO, MMSI, hull: one craft"},
	wEventKey:            {"event-key", 30000, "VTEC key, storm id: one event by decision of its office"},
	wSerial:              {"serial", 30000, "serial number with its maker; without one it counts as other-id"},
	wPlateIssued:         {"plate", 24000, "plate and jurisdiction; fleets, clones"},
	wPlate:               {"plate-only", 17000, "plate, jurisdiction missing in one"},
	wPlateOther:          {"plate-elsewhere", 6000, "same characters, another jurisdiction"},
	wPlatePartial:        {"plate-partial", 10000, "every seen character agrees; less 2 bits per unseen one after the first"},
	wPlateClose:          {"plate-close", 11000, "one character differs, or two neighbours changed places"},
	wPlateDiffers:        {"plate-differs", -2000, "both name plates and none agree; the vehicles then count for nothing"},
	wPhone:               {"phone", 21000, "switchboards: about 2 % of mentions on 200 numbers"},
	wPhoneClose:          {"phone-close", 9000, "one digit differs, or two neighbours changed places"},
	wPhoneDiffers:        {"phone-differs", -2500, "each is about one organization, with one phone: another branch"},
	wEmail:               {"e-mail", 22000, "shared mailboxes"},
	wEmailClose:          {"e-mail-close", 14000, "a typo or two in box or host"},
	wEmailBox:            {"e-mail-box", 9000, "same box of six characters or more at another host"},
	wAccount:             {"account", 22000, "account at a named service"},
	wURL:                 {"url", 20000, "links are passed on"},
	wDomain:              {"domain", 16000, "hosting, shared infrastructure"},
	wSite:                {"site", 10000, "other hosts of one registered domain"},
	wIP:                  {"ip", 14000, "address translation, shared hosting"},
	wCIDR:                {"cidr", 10000, "same prefix of 24 bits, or an address in it; less half a bit per bit that it is wider"},
	wNetwork:             {"network", 4000, "two addresses of one prefix of 24 bits (IPv6: 64)"},
	wCVE:                 {"cve", 4000, "one weakness, many incidents"},
	wObject:              {"object", 12000, "same described object (identity, tool, malware) in two reports"},
	wStreet:              {"street", 8000, "name of a street; one of some hundreds in a town"},
	wStreetCommon:        {"street-common", 5000, "main, church, park: nearly every town has one"},
	wStreetClose:         {"street-close", 6000, "a typo or two, or the house's name in its place"},
	wStreetDiffers:       {"street-differs", -2500, "people move; one in six records holds another address"},
	wHouse:               {"house-number", 6000, "on top of the street"},
	wHouseClose:          {"house-number-close", 2000, "one digit off, or two exchanged"},
	wHouseDiffers:        {"house-number-differs", -2500, "same street, another house"},
	wUnit:                {"unit", 6000, "name of a house, farm or building"},
	wPostcode:            {"postcode", 8000, "some thousands in a country, unevenly peopled"},
	wPostcodeClose:       {"postcode-close", 4000, "one digit off, or two exchanged"},
	wPostcodeDiffers:     {"postcode-differs", -1500, ""},
	wLocality:            {"town", 5000, "town or suburb"},
	wCityLarge:           {"city", 3000, "a city of millions"},
	wCityClose:           {"town-close", 4000, "town with a typo"},
	wCityDiffers:         {"town-differs", -1500, ""},
	wStateDiffers:        {"state-differs", -1000, "where nothing finer is known"},
	wTownCap:             {"town-cap", 11000, "most that postcode, town and state give: each tells most of the others"},
	wAddressCap:          {"address-cap", 24000, "most that an address gives"},
	wOrganization:        {"organization", 14000, "words of its name by their rarity, at most this"},
	wOrganizationDiffers: {"organization-differs", -6500, "each is about one organization, and the names share nothing"},
	wFacility:            {"facility", 14000, "words of its name by their rarity, at most this"},
	wWork:                {"work", 22000, "title of a publication, film or product: words by their rarity, at most this"},
	wWorkDiffers:         {"work-differs", -8000, "other title; who made both then says nothing"},
	wWorkYear:            {"work-year-differs", -10000, "same title and makers, a year or more apart: another edition as likely as not"},
	wWorkCap:             {"work-cap", 24000, "most that title, makers and publisher give: an edition shares them all"},
	wWorkMakers:          {"work-makers-cap", 5000, "most that makers and publisher add to a title: they write many"},
	wMakersDiffer:        {"makers-differ", -5000, "same title, and nobody in common"},
	wWorkNumber:          {"number-differs", -8000, "part I and part II, one model and the next"},
	wTitle:               {"title", 20000, "the report's own title, where it names nothing else"},
	wItem:                {"item", 3000, "same sort of thing: weapon, material"},
	wCraftName:           {"craft-name", 3000, "name of a vessel or aircraft: fleets repeat them, and it lies where it always lies"},
	wTarget:              {"target", 5000, "words of its name by their rarity, at most this: its place tells much of it"},
	wOtherID:             {"other-id", 12000, "identifier of no known type"},
	wHub:                 {"hub", 4000, "most a key keeps once too many reports of an epoch carry it"},
	wIDCap:               {"identifiers-cap", 50000, "most that all identifiers of a pair give"},
	wNumberOneEdit:       {"person-number-close", 14000, "number of a person, one character off"},
	wNumberTwoEdits:      {"person-number-like", 6000, "number of a person of seven characters or more, two off"},
	wNumberDiffers:       {"person-number-differs", -4000, "same kind and issuer, other number"},
	wSurname:             {"surname", 17000, "-log2 of its frequency, at most this"},
	wSurnameSimilar:      {"surname-similar", 7000, "Jaro-Winkler at least 0.92: exact less 2.5, at most this"},
	wSurnameLike:         {"surname-like", 2500, "Jaro-Winkler at least 0.86"},
	wSurnamePart:         {"surname-part", 7000, "one of two surnames: exact less 3, at most this"},
	wSurnameDiffers:      {"surname-differs", -4000, ""},
	wGiven:               {"given-name", 14700, "-log2 of its frequency, at most this"},
	wGivenSimilar:        {"given-name-similar", 5000, "Jaro-Winkler at least 0.92: exact less 2.5, at most this"},
	wGivenLike:           {"given-name-like", 1500, "Jaro-Winkler at least 0.86, or a short form"},
	wGivenDiffers:        {"given-name-differs", -3000, ""},
	wNamesSwapped:        {"names-swapped", -2000, "given name and surname agree crosswise"},
	wInitial:             {"initial", 3000, "given name against its initial"},
	wInitialDiffers:      {"initial-differs", -3000, ""},
	wMiddle:              {"middle-name", 4000, "middle name, or 2 bits for its initial"},
	wMiddleDiffers:       {"middle-name-differs", -2000, ""},
	wSuffixDiffers:       {"suffix-differs", -5000, "junior and senior are two"},
	wSexDiffers:          {"sex-differs", -3000, "wrong in one record of a hundred, or two of a household"},
	wBirth:               {"birth", 13500, "date of birth; 1 in 365*60 with clumping"},
	wBirthOneDigit:       {"birth-one-digit", 8000, "one digit of eight, or two neighbours exchanged"},
	wBirthSwapped:        {"birth-swapped", 9000, "day and month exchanged"},
	wBirthMonth:          {"birth-month", 7000, "year and month, day missing"},
	wBirthYear:           {"birth-year", 4000, "year, rest missing"},
	wBirthTwoParts:       {"birth-two-parts", 4500, "two of year, month and day agree"},
	wBirthNear:           {"birth-near", 2500, "within 45 days"},
	wBirthYearNear:       {"birth-year-near", -2500, "within 400 days: an age that somebody guessed"},
	wBirthDiffers:        {"birth-differs", -7000, "wholly other in one record of a hundred"},
	wAge:                 {"age", 2500, "stated ages within one year"},
	wAgeDiffers:          {"age-differs", -3000, "stated ages, or age and year of birth, more than six years apart"},
	wAgeBirth:            {"age-fits-birth", 2500, "a stated age and a year of birth within one year"},
	wSecondPerson:        {"second-person", 500, "thousandths of the second best pair of persons"},
	wNamesakes:           {"namesakes", 11000, "most that a name gives beside a wholly other birth date: how common it is where it is common, no list knows"},
	wHousehold:           {"household-cap", 10000, "most that phone and address (and mailbox) give two people of other given names, or namesakes of wholly other birth dates"},
	wVehicleMake:         {"vehicle-make", 2500, ""},
	wVehicleModel:        {"vehicle-model", 3500, "on top of the make"},
	wVehicleColor:        {"vehicle-color", 1500, "on top of make or model"},
	wPlace150m:           {"place-150m", 11000, "distance and both uncertainties within"},
	wPlace1km:            {"place-1km", 7500, "see place-5km"},
	wPlace5km:            {"place-5km", 4500, "reports crowd into towns: about 1 in 22 pairs of a region"},
	wPlace25km:           {"place-25km", 3000, "or the same county"},
	wPlaceSame:           {"same-outline", 16000, "an area drawn to the same corners; outlines of counties are drawn often"},
	wPlaceCrowded:        {"place-crowded", 3000, "within 1 km, where more than ten times the hub limit of the day's reports lie; time says nothing there"},
	wPlaceApart:          {"place-apart", -1000, "not counted against identifiers of 20 bits or more: cars and phones move"},
	wTimeMinute:          {"time-1min", 7000, "hazards alone: onset within one minute, with place within 25 km"},
	wInstant:             {"instant", 13000, "earthquakes and explosions: origin within 16 s and 100 km, the rule of association of the ANSS catalogue"},
	wInstantApart:        {"instant-differs", -14000, "their origins lie farther apart, or one network tells of both: another shock, however near"},
	wTime30min:           {"time-30min", 3500, "only with place within 5 km; candidates are near in time by how they are found"},
	wTime6h:              {"time-6h", 1500, "only with place within 5 km; see time-30min"},
	wBehavior:            {"behavior", 3000, "at least one behavior in common; only with a place"},
	wBehaviorDiffers:     {"behavior-differs", -1000, ""},
	wHazardRare:          {"hazard-rare", 10000, "earthquake, tsunami, hurricane, nuclear, dam: rare in any one day"},
	wHazard:              {"hazard", 6000, "same event code or name"},
	wHazardCommon:        {"hazard-common", 3000, "heat, flood, wind, marine: many at any time"},
	wIncidentType:        {"incident-type", 2000, "only with a place: what happened says nothing without where"},
	wMalware:             {"malware", 6000, "same named malware or campaign"},
	wCopy:                {"narrative-copy", 8000, "all but the same text of 30 words, while no more than the hub limit tell it; never raises confidence"},
}

// Weights is a weight table in millibits. The zero value stands for
// DefaultWeights, so that a forgotten field never yields a blind engine;
// ZeroWeights is the table that links nothing.
type Weights struct {
	set  bool
	bits [weightCount]int32
}

// DefaultWeights is the documented table.
func DefaultWeights() Weights {
	w := Weights{set: true}
	for i, r := range table {
		w.bits[i] = r.bits
	}
	return w
}

// ZeroWeights gives no evidence any weight: every report stays alone.
func ZeroWeights() Weights { return Weights{set: true} }

// With returns the table with some rows replaced, by name, in millibits.
func (w Weights) With(rows map[string]int32) (Weights, error) {
	w = w.orDefault()
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		i := slices.IndexFunc(table[1:], func(r row) bool { return r.name == name })
		if i < 0 {
			return Weights{}, fmt.Errorf("unknown weight %q: use one of %s", name, strings.Join(WeightNames(), ", "))
		}
		w.bits[i+1] = rows[name]
	}
	return w, nil
}

// WeightNames lists the rows of the table.
func WeightNames() []string {
	out := make([]string, 0, len(table))
	for _, r := range table[1:] {
		out = append(out, r.name)
	}
	return out
}

// Each calls f for every row: its name, its weight here and what it rests on.
func (w Weights) Each(f func(name string, millibits int32, basis string)) {
	w = w.orDefault()
	for i, r := range table[1:] {
		f(r.name, w.bits[i+1], r.basis)
	}
}

func (w Weights) orDefault() Weights {
	if !w.set {
		return DefaultWeights()
	}
	return w
}
