package cap

import "strings"

// versions maps the namespaces of CAP to its versions. Alerts without a
// namespace are read as 1.2.
var versions = map[string]string{
	"urn:oasis:names:tc:emergency:cap:1.2": "1.2",
	"urn:oasis:names:tc:emergency:cap:1.1": "1.1",
	"http://www.incident.com/cap/1.0":      "1.0",
	"":                                     "1.2",
}

// Wrapper is what an EDXL-DE message says of the alert it holds.
type Wrapper struct {
	// Confidentiality lists the markings of the message and of the content
	// object. Nil: not wrapped.
	Confidentiality []string
	// Status is the distribution status; empty when not wrapped.
	Status string
	// Wrapped says that there is a wrapper.
	Wrapped bool
}

// found is an element that is, or should have been, an alert.
type found struct {
	node    *node
	wrapper Wrapper
	problem string
}

// find collects the alerts of a document wherever they stand.
func find(root *node) []found {
	var out []found
	walk(root, Wrapper{}, &out)
	return out
}

func walk(n *node, w Wrapper, out *[]found) {
	switch n.local {
	case "alert":
		if _, ok := versions[n.space]; ok {
			*out = append(*out, found{node: n, wrapper: w})
			return
		}
		if isCAP(n.space) {
			*out = append(*out, found{node: n, problem: "the alert is in the unknown CAP namespace " + quote(n.space)})
			return
		}
	case "EDXLDistribution":
		w = w.enter(n)
	case "contentObject":
		if w.Wrapped {
			walkContent(n, w.content(n), out)
			return
		}
	}
	for _, k := range n.kids {
		walk(k, w, out)
	}
}

// walkContent reads an EDXL-DE content object, which must hold an alert.
func walkContent(n *node, w Wrapper, out *[]found) {
	before := len(*out)
	for _, k := range n.kids {
		walk(k, w, out)
	}
	if len(*out) == before {
		*out = append(*out, found{node: n, problem: "the EDXL-DE content object holds no CAP alert"})
	}
}

func (w Wrapper) enter(n *node) Wrapper {
	w.Wrapped = true
	w.Status = n.child("distributionStatus")
	w.Confidentiality = append(w.Confidentiality[:len(w.Confidentiality):len(w.Confidentiality)], n.child("combinedConfidentiality"))
	return w
}

func (w Wrapper) content(n *node) Wrapper {
	if c := n.child("confidentiality"); c != "" {
		w.Confidentiality = append(w.Confidentiality[:len(w.Confidentiality):len(w.Confidentiality)], c)
	}
	return w
}

// child is the value of the first child of that name in n's own namespace.
func (n *node) child(local string) string {
	for _, k := range n.kids {
		if k.local == local && k.space == n.space {
			return k.value()
		}
	}
	return ""
}

func isCAP(space string) bool {
	s := strings.ToLower(space)
	return strings.HasPrefix(s, "urn:oasis:names:tc:emergency:cap:") || strings.HasPrefix(s, "http://www.incident.com/cap/")
}

// isFeed says whether a document may well hold no alert: an index of links.
func isFeed(n *node) bool {
	switch n.local {
	case "feed":
		return n.space == "http://www.w3.org/2005/Atom"
	case "rss", "RDF", "EDXLDistribution":
		return true
	}
	return false
}
