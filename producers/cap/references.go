package cap

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// reference is one sender,identifier,sent of <references>.
type reference struct {
	sender, identifier string
	sent               time.Time
}

// references are the messages this one names and the incidents it belongs to.
func (c *converter) references(own string) []*wf.Reference {
	a := c.a
	refs := strings.Fields(a.References)
	if len(refs) == 0 && a.MsgType != "Alert" && messageTypes[a.MsgType] != 0 {
		c.bad(admission.Missing, "alert.references", "an alert of type "+a.MsgType+" does not say which message it is about",
			"give <references> as sender,identifier,sent")
	}
	var out []*wf.Reference
	for i, s := range refs {
		ref, ok := c.parseReference(fmt.Sprintf("alert.references[%d]", i), s)
		if !ok {
			continue
		}
		record := ref.sender + "," + ref.identifier
		if record == own {
			// The same identifier sent again is a revision, not a reference.
			c.notes = append(c.notes, "a reference of the alert to itself is left out")
			continue
		}
		out = append(out, c.reference(ref, record))
	}
	for _, name := range splitList(a.Incidents) {
		out = append(out, &wf.Reference{Type: wf.ReferenceType_REFERENCE_TYPE_INCIDENT, Record: codec.Line(name), Agency: c.o.Agency})
	}
	return out
}

// reference types one reference. Only the sender itself supersedes or cancels
// its messages; another sender's reference is a relation.
func (c *converter) reference(ref reference, record string) *wf.Reference {
	out := &wf.Reference{Record: record, Relationship: strings.ToLower(c.a.MsgType)}
	if !ref.sent.IsZero() {
		out.Relationship += " " + formatTime(ref.sent)
	}
	switch c.a.MsgType {
	case "Ack", "Error":
		// A receipt says nothing about the event.
		out.Type = wf.ReferenceType_REFERENCE_TYPE_CONTEXT
		return out
	}
	if ref.sender != c.a.Sender {
		out.Type = wf.ReferenceType_REFERENCE_TYPE_RELATED
		return out
	}
	out.Agency = c.o.Agency
	switch c.a.MsgType {
	case "Update":
		out.Type = wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES
	case "Cancel":
		out.Type = wf.ReferenceType_REFERENCE_TYPE_CANCELS
	default:
		out.Type = wf.ReferenceType_REFERENCE_TYPE_RELATED
	}
	return out
}

func (c *converter) parseReference(field, s string) (reference, bool) {
	if c.a.Version == "1.0" && !strings.Contains(s, ",") {
		// CAP 1.0: sender/identifier.
		if i := strings.LastIndexByte(s, '/'); i > 0 && i < len(s)-1 {
			return reference{sender: s[:i], identifier: s[i+1:]}, true
		}
	}
	parts := strings.Split(s, ",")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		c.bad(admission.Invalid, field, quote(s)+" is not sender,identifier,sent", "name the message as sender,identifier,sent")
		return reference{}, false
	}
	t := c.time(field+".sent", parts[2])
	return reference{parts[0], parts[1], t}, !t.IsZero()
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999-07:00") }

// splitList splits at spaces; quotes keep a name with spaces together.
func splitList(s string) []string {
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if rest, ok := strings.CutPrefix(s, `"`); ok {
			if word, tail, ok := strings.Cut(rest, `"`); ok {
				if word = strings.TrimSpace(word); word != "" {
					out = append(out, word)
				}
				s = tail
				continue
			}
		}
		i := strings.IndexAny(s, " \t\r\n")
		if i < 0 {
			i = len(s)
		}
		out = append(out, s[:i])
		s = s[i:]
	}
	return out
}
