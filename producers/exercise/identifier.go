package exercise

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	plateLetters = "ABCDEFGHJKLMNPRSTUVWXYZ"
	vinLetters   = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	hexDigits    = "0123456789abcdef"
)

func ident(t wf.IdentifierType, value, issuer string) *wf.Identifier {
	return &wf.Identifier{Type: t, Value: value, Issuer: issuer}
}

// southern are area codes of Mississippi and its neighbours.
var southern = []string{"601", "769", "662", "228", "601", "662", "228", "205", "251", "334", "504", "985", "225", "318", "337", "901", "731", "501", "870", "314", "636", "573"}

// phone is a number of the exchange 555, which serves no subscriber, or of an
// area code N9N, which is kept for the expansion of the plan.
func (r *rng) phone() string {
	if r.chance(120) {
		return "+1" + one(r, southern) + "555" + r.digits(4)
	}
	return "+1" + r.from("23456789", 1) + "9" + r.from("012345678", 1) + r.from("23456789", 1) + r.digits(6)
}

// localPhone is a number of Mississippi's area codes, exchange 555.
func (r *rng) localPhone() string { return "+1" + southern[r.n(4)] + "555" + r.digits(4) }

// plate is three letters and four digits, as Mississippi writes them.
func (r *rng) plate() string { return r.from(plateLetters, 3) + r.digits(4) }

// vin has a correct check digit.
func (r *rng) vin(year int) string {
	b := []byte(r.from("12345", 1) + r.from(vinLetters, 7) + "0" + string("ABCDEFGHJKLMNPRSTVWXY123456789"[(year-2010+30)%30]) + r.from(plateLetters, 1) + r.digits(6))
	b[8] = vinCheck(b)
	return string(b)
}

func vinCheck(v []byte) byte {
	const values = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	sum := 0
	for i, c := range v {
		sum += strings.IndexByte(values, c) % 10 * weights[i]
	}
	return "0123456789X"[sum%11]
}

// registered is a number of a register that gives none twice: number k of a
// story, of at most share, scattered so that numbers tell nothing of one
// another. prime does not divide size. Beyond size the register begins again.
func (r *rng) registered(k, share, size, prime uint64) uint64 {
	return (r.story*share + k%share) * prime % size
}

// license is nine digits that begin with 8, as no social security number does.
func (r *rng) license() string {
	r.digits(7) // what follows stays as it was
	r.licenses++
	return fmt.Sprintf("8%08d", r.registered(r.licenses, 32, 100_000_000, 61_803_399))
}

func (r *rng) passport() string { return r.from("123456789", 1) + r.digits(8) }

// imei has a correct Luhn digit.
func (r *rng) imei() string {
	s := "35" + r.digits(12)
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return s + string(rune('0'+(10-sum%10)%10))
}

// imo has a correct check digit.
func (r *rng) imo() string {
	r.digits(6) // what follows stays as it was
	s := fmt.Sprint(100_000 + r.registered(0, 1, 900_000, 618_031))
	sum := 0
	for i := range len(s) {
		sum += int(s[i]-'0') * (7 - i)
	}
	return s + string(rune('0'+sum%10))
}

func (r *rng) mmsi() string {
	r.digits(7)
	return fmt.Sprintf("36%07d", r.registered(0, 1, 10_000_000, 6_180_339))
}

// tail is N with three digits and two letters, four and one, or five.
func (r *rng) tail() string {
	r.digits(5)
	const n = uint64(len(plateLetters))
	k := r.registered(0, 1, 900*n*n+9_000*n+90_000, 618_031)
	if k < 900*n*n {
		return fmt.Sprintf("N%d%c%c", 100+k/(n*n), plateLetters[k/n%n], plateLetters[k%n])
	}
	if k -= 900 * n * n; k < 9_000*n {
		return fmt.Sprintf("N%d%c", 1_000+k/n, plateLetters[k%n])
	}
	return fmt.Sprintf("N%d", 10_000+k-9_000*n)
}

// file is the number of a story's file at an office, 7 or 8 digits.
func (r *rng) file(digits int) string {
	r.digits(digits)
	size := uint64(10_000_000)
	if digits == 8 {
		size *= 10
	}
	return fmt.Sprintf("%0*d", digits, r.registered(0, 1, size, 6_180_339))
}

// host is a name under the reserved top-level domain example.
func (r *rng) host() string {
	return r.from(lowerLetters, r.between(4, 7)) + "-" + one(r, hostWords) + r.from("0123456789", 2) + ".example"
}

var hostWords = []string{"sync", "update", "cdn", "portal", "mail", "auth", "cloud", "files", "status", "meter", "billing", "vpn", "static", "media", "login", "ops"}

// address is of 240.0.0.0/4, which is routed nowhere.
func (r *rng) address() string {
	return fmt.Sprintf("%d.%d.%d.%d", r.between(241, 254), r.n(256), r.n(256), r.between(1, 254))
}

func (r *rng) hash() string { return r.from(hexDigits, 64) }

func (r *rng) email(given, family string) string {
	return strings.ToLower(given) + "." + strings.ToLower(family) + r.digits(2) + "@" + one(r, mailHosts)
}

var mailHosts = []string{"post.example", "mailbox.example", "quickmail.example", "rivermail.example", "gulfnet.example"}

// transposed swaps two neighbouring, different digits of the last seven: the
// usual slip of a hand that takes down a number.
func transposed(r *rng, s string) string {
	b := []byte(s)
	first := len(b) - 7
	at := r.n(6)
	for i := range 6 {
		k := first + (at+i)%6
		if b[k] != b[k+1] {
			b[k], b[k+1] = b[k+1], b[k]
			return string(b)
		}
	}
	b[len(b)-1] = '0' + (b[len(b)-1]-'0'+1)%10
	return string(b)
}

// unseen replaces characters of a plate by '?'.
func unseen(s string, at ...int) string {
	b := []byte(s)
	for _, i := range at {
		b[i] = '?'
	}
	return string(b)
}

// partial is an identifier of which only a part was seen.
func partial(t wf.IdentifierType, value, issuer string) *wf.Identifier {
	return &wf.Identifier{Type: t, Value: value, Issuer: issuer, Partial: true}
}

// uuid7 is a version 7 UUID: the time, then 74 bits of the seed, the story and
// the report's place in it.
func uuid7(at time.Time, seed, story, said uint64) string {
	var in [24]byte
	for i := range 8 {
		in[i], in[8+i], in[16+i] = byte(seed>>(8*i)), byte(story>>(8*i)), byte(said>>(8*i))
	}
	sum := sha256.Sum256(in[:])
	u := sum[:16]
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	var b [36]byte
	hex.Encode(b[:8], u[:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
