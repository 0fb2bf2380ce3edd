package report

import (
	"crypto/sha1"
	"encoding/hex"
)

// namespace is the UUID under which record ids are derived; it is part of the
// wire contract and never changes: 6f1d2a9c-5b0e-5c39-9d6a-7f0f3b1e8a54.
var namespace = [16]byte{0x6f, 0x1d, 0x2a, 0x9c, 0x5b, 0x0e, 0x5c, 0x39, 0x9d, 0x6a, 0x7f, 0x0f, 0x3b, 0x1e, 0x8a, 0x54}

// RecordID derives the id of a converted report: the version 5 UUID of
// (agency, record). The same record gives the same id on any machine.
func RecordID(agency, record string) string {
	id := recordID(agency, record)
	return string(id[:])
}

func recordID(agency, record string) [36]byte {
	// An agency token holds no NUL, so that no two pairs give the same name.
	var stack [256]byte
	b := append(stack[:0], namespace[:]...)
	b = append(b, agency...)
	b = append(b, 0)
	b = append(b, record...)
	sum := sha1.Sum(b)
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return formatUUID([16]byte(sum[:16]))
}

func formatUUID(u [16]byte) [36]byte {
	var out [36]byte
	hex.Encode(out[:8], u[:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:], u[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return out
}

// UUIDVersion is the version of a UUID in lower-case canonical text, or 0 when
// s is none (another variant, upper case, braces, a prefix).
func UUIDVersion(s string) int {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return 0
	}
	for i := range len(s) {
		if i != 8 && i != 13 && i != 18 && i != 23 && !lowerHex(s[i]) {
			return 0
		}
	}
	if v := s[19]; v != '8' && v != '9' && v != 'a' && v != 'b' || s[14] > '9' {
		return 0
	}
	return int(s[14] - '0')
}

func lowerHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
