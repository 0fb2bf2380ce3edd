package subject

import "strings"

// stateByFIPS holds the USPS code, in lower case, of each two-digit state code
// (ANSI INCITS 38).
var stateByFIPS = map[string]string{
	"01": "al", "02": "ak", "04": "az", "05": "ar", "06": "ca", "08": "co", "09": "ct", "10": "de", "11": "dc",
	"12": "fl", "13": "ga", "15": "hi", "16": "id", "17": "il", "18": "in", "19": "ia", "20": "ks", "21": "ky",
	"22": "la", "23": "me", "24": "md", "25": "ma", "26": "mi", "27": "mn", "28": "ms", "29": "mo", "30": "mt",
	"31": "ne", "32": "nv", "33": "nh", "34": "nj", "35": "nm", "36": "ny", "37": "nc", "38": "nd", "39": "oh",
	"40": "ok", "41": "or", "42": "pa", "44": "ri", "45": "sc", "46": "sd", "47": "tn", "48": "tx", "49": "ut",
	"50": "vt", "51": "va", "53": "wa", "54": "wv", "55": "wi", "56": "wy",
	"60": "as", "66": "gu", "69": "mp", "72": "pr", "78": "vi",
}

// StateOfFIPS is the USPS code of a county code's state in lower case; empty
// when the state is unknown.
func StateOfFIPS(county string) string {
	if len(county) < 2 {
		return ""
	}
	return stateByFIPS[county[:2]]
}

// states holds every USPS code of stateByFIPS.
var states = func() map[string]bool {
	out := make(map[string]bool, len(stateByFIPS))
	for _, s := range stateByFIPS {
		out[strings.ToUpper(s)] = true
	}
	return out
}()

// IsState says whether s is the USPS code of a state or territory in upper case.
func IsState(s string) bool { return states[s] }
