package fusion

import (
	"strings"

	"github.com/zeebo/xxh3"
)

// key is a typed hash: 6 bits of keyType, 58 of hash. Two reports that share a
// key are compared if they are near in its posting list.
type key uint64

type keyType uint8

// Key types. The order is the priority when a report has too many.
const (
	keyNone keyType = iota
	keyReference
	keyPersonNumber
	keyVIN
	keyHash
	keyDevice
	keyCraft
	keyEvent
	keySerial
	keyPlate
	keyPhone
	keyEmail
	keyAccount
	keyURL
	keyAddress
	keyDomain
	keyIP
	keyCIDR
	keyObject
	keyOtherID
	keyNameBirth
	keyNamePlace
	keyName
	keySurnameNear
	keyNameTown
	keyStreet
	keyVehicle
	keyPlateClose
	keyPhoneClose
	keyOrganization
	keyWork
	keyTarget
	keyMalware
	keyHazard
	keyBehavior
	keyCVE
	keyEmailClose
	keyNetwork
	keyWords
	keyBirthTown
	keyCopy
	keyInstant
	keyCrowd
	keyTypes
)

const (
	hourMs = int64(3_600_000)
	dayMs  = 24 * hourMs
)

// keyRule is how long a key pairs reports (event time), the length of its hub
// epoch (0: never a hub) and how many times the hub limit it may carry.
type keyRule struct {
	ttl   int64
	epoch int64
	slack int32
}

// An identifier that belongs to one thing may be in ten times as many reports
// as a shareable one before it counts as a placeholder; a reference never is one.
var keyRules = [keyTypes]keyRule{
	keyReference:    {ttl: 3650 * dayMs},
	keyPersonNumber: {365 * dayMs, 30 * dayMs, 10},
	keyVIN:          {365 * dayMs, 30 * dayMs, 10},
	keyHash:         {90 * dayMs, 30 * dayMs, 10},
	keyDevice:       {180 * dayMs, 30 * dayMs, 10},
	keyCraft:        {180 * dayMs, 30 * dayMs, 10},
	keyEvent:        {ttl: 365 * dayMs},
	keySerial:       {365 * dayMs, 30 * dayMs, 10},
	keyPlate:        {90 * dayMs, 30 * dayMs, 1},
	keyPhone:        {90 * dayMs, 30 * dayMs, 1},
	keyEmail:        {90 * dayMs, 30 * dayMs, 1},
	keyAccount:      {90 * dayMs, 30 * dayMs, 1},
	keyURL:          {90 * dayMs, 30 * dayMs, 1},
	keyAddress:      {180 * dayMs, 30 * dayMs, 1},
	keyDomain:       {90 * dayMs, 30 * dayMs, 1},
	keyIP:           {14 * dayMs, 14 * dayMs, 1},
	keyCIDR:         {14 * dayMs, 14 * dayMs, 1},
	keyObject:       {90 * dayMs, 30 * dayMs, 1},
	keyOtherID:      {90 * dayMs, 30 * dayMs, 1},
	keyNameBirth:    {ttl: 365 * dayMs},
	keyNamePlace:    {ttl: 180 * dayMs},
	keyName:         {ttl: 180 * dayMs},
	keySurnameNear:  {ttl: 90 * dayMs},
	keyNameTown:     {ttl: 365 * dayMs},
	keyStreet:       {ttl: 180 * dayMs},
	keyVehicle:      {ttl: 30 * dayMs},
	keyPlateClose:   {ttl: 90 * dayMs},
	keyPhoneClose:   {ttl: 90 * dayMs},
	keyOrganization: {90 * dayMs, 30 * dayMs, 1},
	keyWork:         {3650 * dayMs, 30 * dayMs, 1},
	keyTarget:       {90 * dayMs, 30 * dayMs, 1},
	keyMalware:      {90 * dayMs, 30 * dayMs, 1},
	keyHazard:       {ttl: 3 * dayMs},
	keyInstant:      {ttl: 16_000},
	keyCrowd:        {0, dayMs, 10}, // counts, and hardly ever proposes
	keyBehavior:     {ttl: 3 * dayMs},
	keyCVE:          {90 * dayMs, 30 * dayMs, 1},
	keyEmailClose:   {ttl: 90 * dayMs},
	keyNetwork:      {ttl: 14 * dayMs},
	keyWords:        {ttl: 365 * dayMs},
	keyBirthTown:    {ttl: 365 * dayMs},
	keyCopy:         {30 * dayMs, 30 * dayMs, 1},
}

const keyShift = 58

func makeKey(t keyType, hash uint64) key { return key(uint64(t)<<keyShift | hash>>(64-keyShift)) }

// list is the key of the posting list that a key belongs to: the type and 42
// bits of the hash. Two keys that agree in those propose each other's reports
// and are a hub together, in every engine alike; what they are worth as
// evidence is told by the whole key.
func (k key) list() key { return k &^ (1<<16 - 1) }

// compared keys are of names and addresses: what they say is scored part by
// part, with typos and all, not as identifiers.
func (t keyType) compared() bool {
	switch t {
	case keyAddress, keyOrganization, keyWork, keyTarget:
		return true
	}
	return false
}

func (k key) kind() keyType { return keyType(k >> keyShift) }

func (k key) rule() keyRule {
	if t := k.kind(); t < keyTypes {
		return keyRules[t]
	}
	return keyRule{}
}

// epochOf is the hub epoch of an event time.
func (r keyRule) epochOf(t int64) int64 { return floorDiv(t, r.epoch) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func hashString(s string) uint64 { return xxh3.HashString(s) }

// hashParts hashes strings so that no two lists of parts collide by joining.
func hashParts(parts ...string) uint64 {
	var b [192]byte
	out := b[:0]
	for _, p := range parts {
		out = append(out, p...)
		out = append(out, 0)
	}
	return xxh3.Hash(out)
}

func mix(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + a<<6 + a>>2
	a ^= a >> 29
	a *= 0xbf58476d1ce4e5b9
	a ^= a >> 32
	return a
}

// foldPlate makes the characters alike that people and cameras confuse.
func foldPlate(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'O' || c == 'I' || c == 'Q' || c == ' ' || c == '-' || c >= 'a' && c <= 'z':
			clean = false
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		case r == ' ' || r == '-':
			return -1
		}
		switch r {
		case 'O', 'Q':
			return '0'
		case 'I':
			return '1'
		}
		return r
	}, s)
}
