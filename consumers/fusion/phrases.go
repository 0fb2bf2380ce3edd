package fusion

import (
	"fmt"
	"strings"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// phrases say what agreed or not, by the name of its weight, as one says it
// aloud. A %s takes the value; a cap names what it holds down.
var phrases = map[string]string{
	"reference":             "one record names the other, or both name %s",
	"vin":                   "the same vehicle identification number %s",
	"hash":                  "the same file, hash %s",
	"person-number":         "the same number of a person, ending in %s",
	"device-number":         "the same device %s",
	"craft":                 "the same aircraft or vessel %s",
	"event-key":             "the same event key %s",
	"serial":                "the same serial number %s",
	"plate":                 "the same plate %s of the same state",
	"plate-only":            "the same plate %s",
	"plate-elsewhere":       "the characters %s on plates of two states",
	"plate-partial":         "a plate seen in part that fits %s",
	"plate-close":           "plates that differ by one slip, %s",
	"plate-differs":         "their plates are different",
	"phone":                 "the same phone number %s",
	"phone-differs":         "their phone numbers are different",
	"phone-close":           "phone numbers that differ by one slip, %s",
	"e-mail":                "the same e-mail address %s",
	"e-mail-close":          "e-mail addresses that differ by a slip, %s",
	"e-mail-box":            "the same mailbox at two hosts, %s",
	"account":               "the same account %s",
	"url":                   "the same link %s",
	"domain":                "the same domain %s",
	"site":                  "hosts of one registered domain %s",
	"ip":                    "the same network address %s",
	"cidr":                  "the same network %s",
	"network":               "network addresses of one prefix %s",
	"cve":                   "the same weakness %s",
	"object":                "the same described object %s",
	"street":                "the same street %s",
	"street-common":         "the same street, of a common name %s",
	"street-close":          "streets that differ by a slip, %s",
	"street-differs":        "their streets are different",
	"house-number":          "the same house number",
	"house-number-close":    "house numbers that differ by a slip",
	"house-number-differs":  "their house numbers are different",
	"unit":                  "the same name of a house",
	"postcode":              "the same postcode %s",
	"postcode-close":        "postcodes that differ by a slip",
	"postcode-differs":      "their postcodes are different",
	"town":                  "the same town %s",
	"city":                  "the same large city %s",
	"town-close":            "towns that differ by a slip",
	"town-differs":          "their towns are different",
	"state-differs":         "their states are different",
	"town-cap":              "postcode, town and state",
	"address-cap":           "the parts of an address",
	"organization":          "the same organization %s",
	"organization-differs":  "they are about different organizations",
	"facility":              "the same facility %s",
	"work":                  "the same title of a work %s",
	"work-differs":          "the titles of their works are different",
	"work-year-differs":     "their works are of different years",
	"work-makers-cap":       "makers and publisher beside the title",
	"makers-differ":         "the makers of their works are different",
	"work-cap":              "title, makers and publisher",
	"number-differs":        "their works have different numbers",
	"title":                 "the same title of the report",
	"item":                  "the same sort of thing %s",
	"craft-name":            "the same name of a vessel or aircraft %s",
	"target":                "the same target %s",
	"other-id":              "the same identifier %s",
	"hub":                   "a thing that too many reports name",
	"identifiers-cap":       "identifiers",
	"person-number-close":   "numbers of a person that differ by one slip",
	"person-number-like":    "numbers of a person that differ by two slips",
	"person-number-differs": "their numbers of one kind are different",
	"surname":               "the same surname",
	"surname-similar":       "surnames that are nearly the same",
	"surname-like":          "surnames that are alike",
	"surname-part":          "one of two surnames the same",
	"surname-differs":       "their surnames are different",
	"given-name":            "the same given name",
	"given-name-similar":    "given names that are nearly the same",
	"given-name-like":       "given names that are alike",
	"given-name-differs":    "their given names are different",
	"names-swapped":         "given name and surname stand crosswise",
	"initial":               "a given name and its initial",
	"initial-differs":       "their initials are different",
	"middle-name":           "the same middle name",
	"middle-name-differs":   "their middle names are different",
	"suffix-differs":        "one is a junior and one a senior",
	"sex-differs":           "their sexes are different",
	"birth":                 "the same date of birth",
	"birth-one-digit":       "dates of birth that differ in one digit",
	"birth-swapped":         "dates of birth with day and month exchanged",
	"birth-month":           "the same year and month of birth",
	"birth-year":            "the same year of birth",
	"birth-two-parts":       "two of year, month and day of birth the same",
	"birth-near":            "dates of birth within weeks",
	"birth-year-near":       "their dates of birth are a year apart or less",
	"birth-differs":         "their dates of birth are different",
	"age":                   "the same age",
	"age-differs":           "their ages are far apart",
	"age-fits-birth":        "an age that fits the year of birth",
	"namesakes":             "a name beside another date of birth",
	"household-cap":         "phone and address of one household",
	"second-person":         "a second person whom both describe",
	"vehicle-make":          "the same make of vehicle",
	"vehicle-model":         "the same model",
	"vehicle-color":         "the same color of vehicle",
	"place-150m":            "places within 150 metres",
	"place-1km":             "places within a kilometre",
	"place-5km":             "places within 5 kilometres",
	"place-25km":            "places within 25 kilometres or in one county",
	"same-outline":          "an area with the same outline",
	"place-crowded":         "places within a kilometre, where very many reports lie",
	"instant":               "shocks within 16 seconds and 100 kilometres",
	"instant-differs":       "they are different shocks",
	"place-apart":           "their places lie far apart",
	"time-1min":             "onset within a minute",
	"time-30min":            "times within half an hour",
	"time-6h":               "times within six hours",
	"behavior":              "the same behavior",
	"behavior-differs":      "their behaviors are different",
	"hazard-rare":           "the same rare hazard",
	"hazard":                "the same hazard",
	"hazard-common":         "the same common hazard",
	"incident-type":         "the same type of incident",
	"malware":               "the same malware or campaign %s",
	"narrative-copy":        "all but the same words",
}

// phraseOf says one reason; a kind that this version does not know by its name.
func phraseOf(v *wf.Evidence) string {
	if p := phrases[v.GetKind()]; p != "" {
		return with(p, v.GetValue())
	}
	return strings.TrimSpace(v.GetKind() + " " + v.GetValue())
}

func with(phrase, value string) string {
	before, after, ok := strings.Cut(phrase, "%s")
	if strings.HasSuffix(before, "ending in ") {
		value = strings.TrimPrefix(value, "...")
	}
	switch {
	case !ok && value != "":
		return phrase + " (" + value + ")"
	case ok && value == "":
		return strings.TrimRight(before, " ,") + after
	}
	return before + value + after
}

// things name what is mentioned where no phrase of two that share it does.
var things = map[string]string{
	"reference": "record name %s", "plate": "plate %s", "hash": "file with hash %s", "address": "address %s",
	"domain": "domain %s", "malware": "malware or campaign %s",
}

// thingText names one thing, by the kind of a mention: "phone number +1601...".
func thingText(kind, value string) string {
	if t := things[kind]; t != "" {
		return with(t, value)
	}
	if p, ok := strings.CutPrefix(phrases[kind], "the same "); ok {
		return with(p, value)
	}
	return strings.TrimSpace(kind + " " + value)
}

// reasonsText says what speaks for and what against, the strongest first.
func reasonsText(list []*wf.Evidence) string {
	var pro, contra []string
	limit := ""
	for _, v := range strongestFirst(list) {
		if strings.HasSuffix(v.GetKind(), "-cap") {
			limit += ". There is a limit to what " + phraseOf(v) + " count together: it takes " + bitsOf(-v.GetMillibits()) + " off"
		} else if v.GetMillibits() < 0 {
			contra = append(contra, phraseOf(v)+", "+bitsOf(-v.GetMillibits()))
		} else {
			pro = append(pro, phraseOf(v)+", "+bitsOf(v.GetMillibits()))
		}
	}
	out := strings.Join(pro, "; ")
	if len(contra) > 0 {
		out += ". Against it: " + strings.Join(contra, "; ")
	}
	return out + limit
}

// bitsOf writes thousandths of a bit as bits, with a decimal if there is one.
func bitsOf(mb int32) string {
	sign := ""
	if mb < 0 {
		sign, mb = "minus ", -mb
	}
	tenths := (mb + 50) / 100
	switch {
	case tenths == 10:
		return sign + "1 bit"
	case tenths%10 == 0:
		return fmt.Sprintf("%s%d bits", sign, tenths/10)
	}
	return fmt.Sprintf("%s%d.%d bits", sign, tenths/10, tenths%10)
}

// spanText is a length of time in its largest fitting unit.
func spanText(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	switch {
	case d < time.Minute:
		return "at the same time"
	case d < 2*time.Hour:
		return plural(int(d/time.Minute), "minute") + " apart"
	case d < 48*time.Hour:
		return plural(int((d+30*time.Minute)/time.Hour), "hour") + " apart"
	}
	return plural(int((d+12*time.Hour)/(24*time.Hour)), "day") + " apart"
}

// lengthText is a distance in metres or kilometres.
func lengthText(m float64) string {
	switch {
	case m < 1000:
		return fmt.Sprintf("%.0f metres", m)
	case m < 100_000:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", m/1000), ".0") + " kilometres"
	}
	return fmt.Sprintf("%.0f kilometres", m/1000)
}

func areaText(m2 uint64) string {
	switch {
	case m2 < 100_000:
		return fmt.Sprintf("%s square metres", grouped(int(m2)))
	case m2 < 100_000_000:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(m2)/1e6), ".0") + " square kilometres"
	}
	return grouped(int(m2/1_000_000)) + " square kilometres"
}

func moment(t time.Time) string { return t.UTC().Format("2 January 2006 15:04Z") }

// grouped is a number with commas: 12,345.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
