package cap

import (
	"slices"
	"strconv"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var statuses = map[string]wf.Status{
	"Actual": wf.Status_STATUS_ACTUAL, "Exercise": wf.Status_STATUS_EXERCISE,
	"Test": wf.Status_STATUS_TEST, "System": wf.Status_STATUS_TEST,
}

var messageTypes = map[string]wf.MessageType{
	"Alert": wf.MessageType_MESSAGE_TYPE_ALERT, "Update": wf.MessageType_MESSAGE_TYPE_UPDATE,
	"Cancel": wf.MessageType_MESSAGE_TYPE_CANCEL, "Ack": wf.MessageType_MESSAGE_TYPE_ACK,
	"Error": wf.MessageType_MESSAGE_TYPE_ERROR,
}

var urgencies = map[string]wf.Urgency{
	"Unknown": wf.Urgency_URGENCY_UNKNOWN, "Past": wf.Urgency_URGENCY_PAST, "Future": wf.Urgency_URGENCY_FUTURE,
	"Expected": wf.Urgency_URGENCY_EXPECTED, "Immediate": wf.Urgency_URGENCY_IMMEDIATE,
}

var severities = map[string]wf.Severity{
	"Unknown": wf.Severity_SEVERITY_UNKNOWN, "Minor": wf.Severity_SEVERITY_MINOR, "Moderate": wf.Severity_SEVERITY_MODERATE,
	"Severe": wf.Severity_SEVERITY_SEVERE, "Extreme": wf.Severity_SEVERITY_EXTREME,
}

var certainties = map[string]wf.Certainty{
	"Unknown": wf.Certainty_CERTAINTY_UNKNOWN, "Unlikely": wf.Certainty_CERTAINTY_UNLIKELY,
	"Possible": wf.Certainty_CERTAINTY_POSSIBLE, "Likely": wf.Certainty_CERTAINTY_LIKELY,
	"Observed": wf.Certainty_CERTAINTY_OBSERVED,
}

var categories = []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}

var responseTypes = []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}

var scopes = []string{"Public", "Restricted", "Private"}

// oneOf lists the words of an enumeration for a remedy.
func oneOf[T any](m map[string]T) string {
	var words []string
	for w := range m {
		words = append(words, w)
	}
	slices.Sort(words)
	return "use one of " + strings.Join(words, ", ")
}

// wordOf is the word of a value of an enumeration, for Encode.
func wordOf[T comparable](m map[string]T, v T) string {
	var words []string
	for w, x := range m {
		if x == v {
			words = append(words, w)
		}
	}
	slices.Sort(words)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// quote shows a value of the input, cut short.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strconv.Quote(s)
}
