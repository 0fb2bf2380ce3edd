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
	wEmail
	wAccount
	wURL
	wDomain
	wIP
	wCIDR
	wCVE
	wObject
	wAddress
	wStreet
	wOrganization
	wTarget
	wOtherID
	wHub
	wIDCap
	wNumberOneEdit
	wNumberDiffers
	wSurname
	wSurnameSimilar
	wSurnameLike
	wSurnameDiffers
	wGiven
	wGivenSimilar
	wGivenLike
	wGivenDiffers
	wNamesSwapped
	wInitial
	wBirth
	wBirthOneDigit
	wBirthSwapped
	wBirthMonth
	wBirthYear
	wBirthDiffers
	wAge
	wAgeDiffers
	wSecondPerson
	wVehicleMake
	wVehicleModel
	wVehicleColor
	wPlace150m
	wPlace1km
	wPlace5km
	wPlace25km
	wPlaceApart
	wTimeMinute
	wTime30min
	wTime6h
	wBehavior
	wBehaviorDiffers
	wHazardRare
	wHazard
	wHazardCommon
	wIncidentType
	wMalware
	wLocality
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
	wNone:            {"", 0, ""},
	wReference:       {"reference", 30000, "one record names the other, or both name a third; u < 2^-30"},
	wVIN:             {"vin", 30000, "belongs to one vehicle"},
	wHash:            {"hash", 30000, "belongs to one file"},
	wPersonNumber:    {"person-number", 30000, "passport, licence, SSN, national id, FBI number with its issuer: one person"},
	wDeviceNumber:    {"device-number", 30000, "IMEI, MAC: one device"},
	wCraft:           {"craft", 30000, "tail number, IMO, MMSI, hull: one craft"},
	wEventKey:        {"event-key", 30000, "VTEC key, storm id: one event by decision of its office"},
	wSerial:          {"serial", 30000, "serial number with its maker; without one it counts as other-id"},
	wPlateIssued:     {"plate", 24000, "plate and jurisdiction; fleets, clones"},
	wPlate:           {"plate-only", 17000, "plate, jurisdiction missing in one"},
	wPlateOther:      {"plate-elsewhere", 6000, "same characters, another jurisdiction"},
	wPlatePartial:    {"plate-partial", 10000, "every seen character agrees; less 2 bits per unseen one after the first"},
	wPlateClose:      {"plate-close", 11000, "one character differs, or two neighbours changed places"},
	wPlateDiffers:    {"plate-differs", -2000, "both name plates and none agree; the vehicles then count for nothing"},
	wPhone:           {"phone", 21000, "switchboards: about 2 % of mentions on 200 numbers"},
	wPhoneClose:      {"phone-close", 9000, "one digit differs, or two neighbours changed places"},
	wEmail:           {"e-mail", 22000, "shared mailboxes"},
	wAccount:         {"account", 22000, "account at a named service"},
	wURL:             {"url", 20000, "links are passed on"},
	wDomain:          {"domain", 16000, "hosting, shared infrastructure"},
	wIP:              {"ip", 14000, "address translation, shared hosting"},
	wCIDR:            {"cidr", 10000, "same announced prefix"},
	wCVE:             {"cve", 4000, "one weakness, many incidents"},
	wObject:          {"object", 12000, "same described object (identity, tool, malware) in two reports"},
	wAddress:         {"address", 18000, "house number, street and town or postcode"},
	wStreet:          {"street", 7000, "street and town or postcode, another house number"},
	wOrganization:    {"organization", 9000, "name of an organization"},
	wTarget:          {"target", 5000, "same named target"},
	wOtherID:         {"other-id", 12000, "identifier of no known type"},
	wHub:             {"hub", 6000, "most a key keeps once too many reports of an epoch carry it"},
	wIDCap:           {"identifiers-cap", 50000, "most that all identifiers of a pair give"},
	wNumberOneEdit:   {"person-number-close", 14000, "number of a person, one character off"},
	wNumberDiffers:   {"person-number-differs", -4000, "same kind and issuer, other number"},
	wSurname:         {"surname", 17000, "-log2 of its frequency, at most this"},
	wSurnameSimilar:  {"surname-similar", 7000, "Jaro-Winkler at least 0.92: exact less 2.5, at most this"},
	wSurnameLike:     {"surname-like", 2500, "Jaro-Winkler at least 0.86"},
	wSurnameDiffers:  {"surname-differs", -4000, ""},
	wGiven:           {"given-name", 14700, "-log2 of its frequency, at most this"},
	wGivenSimilar:    {"given-name-similar", 5000, "Jaro-Winkler at least 0.92: exact less 2.5, at most this"},
	wGivenLike:       {"given-name-like", 1500, "Jaro-Winkler at least 0.86, or a short form"},
	wGivenDiffers:    {"given-name-differs", -3000, ""},
	wNamesSwapped:    {"names-swapped", -2000, "given name and surname agree crosswise"},
	wInitial:         {"initial", 2000, "given name against its initial"},
	wBirth:           {"birth", 13500, "date of birth; 1 in 365*60 with clumping"},
	wBirthOneDigit:   {"birth-one-digit", 8000, ""},
	wBirthSwapped:    {"birth-swapped", 9000, "day and month exchanged"},
	wBirthMonth:      {"birth-month", 7000, "year and month, day missing"},
	wBirthYear:       {"birth-year", 4000, "year, rest missing"},
	wBirthDiffers:    {"birth-differs", -6000, ""},
	wAge:             {"age", 2500, "stated ages within one year"},
	wAgeDiffers:      {"age-differs", -3000, "stated ages more than six years apart"},
	wSecondPerson:    {"second-person", 500, "thousandths of the second best pair of persons"},
	wVehicleMake:     {"vehicle-make", 2500, ""},
	wVehicleModel:    {"vehicle-model", 3500, "on top of the make"},
	wVehicleColor:    {"vehicle-color", 1500, "on top of make or model"},
	wPlace150m:       {"place-150m", 11000, "distance and both uncertainties within"},
	wPlace1km:        {"place-1km", 8500, ""},
	wPlace5km:        {"place-5km", 5500, ""},
	wPlace25km:       {"place-25km", 3000, "or the same county"},
	wPlaceApart:      {"place-apart", -1000, "not counted against identifiers of 20 bits or more: cars and phones move"},
	wTimeMinute:      {"time-1min", 7000, "hazards alone: onset within one minute, with place within 25 km"},
	wTime30min:       {"time-30min", 4500, "only with place within 5 km"},
	wTime6h:          {"time-6h", 2500, "only with place within 5 km"},
	wBehavior:        {"behavior", 3000, "at least one behavior in common"},
	wBehaviorDiffers: {"behavior-differs", -1000, ""},
	wHazardRare:      {"hazard-rare", 10000, "earthquake, tsunami, hurricane, nuclear, dam: rare in any one day"},
	wHazard:          {"hazard", 6000, "same event code or name"},
	wHazardCommon:    {"hazard-common", 3000, "heat, flood, wind, marine: many at any time"},
	wIncidentType:    {"incident-type", 3000, ""},
	wMalware:         {"malware", 6000, "same named malware or campaign"},
	wLocality:        {"locality", 2500, "same town or postcode of residence"},
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
