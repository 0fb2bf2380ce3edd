package feed

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/native"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Format names what a file holds.
type Format string

// The formats that are read.
const (
	CAP    Format = "cap"    // CAP XML, also inside EDXL-DE, Atom and RSS
	NWS    Format = "nws"    // alerts of api.weather.gov as GeoJSON
	Quake  Format = "quake"  // earthquakes of earthquake.usgs.gov as GeoJSON
	STIX   Format = "stix"   // STIX 2.1 bundles and objects
	CSV    Format = "csv"    // tables with a mapping
	Native Format = "native" // Watchfloor's own protobuf and JSON
)

// Formats lists every format.
var Formats = []Format{CAP, NWS, Quake, STIX, CSV, Native}

// sniffed is how much of a file is looked at.
const sniffed = 64 << 10

// Detect says what data holds, by its content; the name only breaks ties. When
// it is no message of a known format, skip says what it is instead.
func Detect(name string, data []byte) (format Format, skip string) {
	base, ext := strings.ToLower(path.Base(name)), strings.ToLower(path.Ext(name))
	head := bytes.TrimPrefix(data[:min(len(data), sniffed)], []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case base == "index.csv" || base == "sources.csv":
		return "", "an index of its folder"
	case ext == ".cap" || ext == ".edxlde" || ext == ".atom" || ext == ".rss":
		return CAP, "" // also when it is broken: then the codec says how
	case len(text) == 0:
		return "", "empty"
	case bytes.HasPrefix(text, []byte("-----BEGIN ")):
		return "", "a certificate or key"
	case native.IsReport(data) || native.IsStream(data):
		return Native, ""
	case text[0] == '<' && ext != ".json":
		return detectXML(text)
	case text[0] == '{' || text[0] == '[':
		return detectJSON(text)
	case ext == ".json" && bytes.Contains(text, []byte(`"spec_version"`)):
		return STIX, "" // broken before it begins: the codec says how
	case !utf8.Valid(head[:textEnd(head)]) && ext != ".csv" || bytes.IndexByte(head, 0) >= 0:
		return "", "binary data of no known format"
	}
	if _, ok := csv.Of(data); ok || ext == ".csv" {
		return CSV, ""
	}
	return "", unknownText
}

const unknownText = "text of no known format"

// textEnd is where the last whole rune of a cut text ends.
func textEnd(b []byte) int {
	for n := len(b); n > max(0, len(b)-utf8.UTFMax); n-- {
		if r, _ := utf8.DecodeLastRune(b[:n]); r != utf8.RuneError {
			return n
		}
	}
	return len(b)
}

// detectXML goes by the root element, and else by whether CAP's namespace occurs.
func detectXML(text []byte) (Format, string) {
	switch root := rootElement(text); root {
	case "EDXLDistribution", "feed", "rss":
		return CAP, ""
	case "alert":
		if bytes.Contains(text, []byte("emergency:cap")) || bytes.Contains(text, []byte("identifier>")) {
			return CAP, ""
		}
		return "", "XML of no known format" // NTAS and others call theirs so too
	case "schema":
		return "", "an XML schema"
	case "html", "HTML":
		return "", "a web page"
	case "":
		if bytes.Contains(text, []byte("<!ELEMENT")) {
			return "", "a DTD"
		}
		return CAP, "" // broken XML: the codec says how
	default:
		if bytes.Contains(text, []byte("urn:oasis:names:tc:emergency:cap:")) {
			return CAP, ""
		}
		return "", "XML of no known format"
	}
}

// rootElement is the local name of the first element.
func rootElement(text []byte) string {
	for {
		i := bytes.IndexByte(text, '<')
		if i < 0 || i+1 >= len(text) {
			return ""
		}
		text = text[i+1:]
		end := []byte(">")
		switch {
		case bytes.HasPrefix(text, []byte("!--")):
			end = []byte("-->")
		case text[0] == '!' && bytes.IndexByte(text, '[') >= 0 && bytes.IndexByte(text, '[') < bytes.IndexByte(text, '>'):
			end = []byte("]") // an internal subset
		case text[0] != '!' && text[0] != '?':
			name, _, _ := bytes.Cut(text[:min(len(text), 256)], []byte(">"))
			name, _, _ = bytes.Cut(name, []byte("/"))
			word := strings.Fields(string(name) + " .")[0]
			return word[strings.IndexByte(word, ':')+1:]
		}
		j := bytes.Index(text, end)
		if j < 0 {
			return ""
		}
		text = text[j+len(end):]
	}
}

// detectJSON goes by the names at the top of the first object.
func detectJSON(text []byte) (Format, string) {
	top := outline(text)
	kind := top["type"]
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { _, ok := top[n]; return ok })
	}
	switch {
	case has("$schema", "definitions", "$defs"):
		return "", "a JSON schema"
	case kind == "FeatureCollection" || kind == "Feature":
		if bytes.Contains(text, []byte("api.weather.gov")) || bytes.Contains(text, []byte(`"areaDesc"`)) {
			return NWS, ""
		}
		if bytes.Contains(text, []byte("earthquake.usgs.gov")) {
			return Quake, ""
		}
		return "", "GeoJSON that holds neither alerts nor earthquakes"
	case kind == "bundle", has("spec_version"), kind == "" && has("objects"), kind != "" && strings.HasPrefix(top["id"], kind+"--"):
		return STIX, ""
	case text[0] == '{' && slices.ContainsFunc(reportFields, func(n string) bool { return has(n) }):
		return Native, ""
	}
	return "", "JSON of no known format"
}

// reportFields are the names by which Report JSON is known, in both spellings.
var reportFields = func() []string {
	var out []string
	fields := new(wf.Report).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		switch fd.Name() {
		case "id", "title", "language", "label", "references", "record":
			continue // too common to tell
		}
		out = append(out, string(fd.Name()), fd.JSONName())
	}
	return out
}()

// outline is the names of the first object, with the values that are text. It
// reads only as far as the text goes; what is broken after that is the codec's.
func outline(text []byte) map[string]string {
	top := map[string]string{}
	d := json.NewDecoder(bytes.NewReader(text))
	depth, started, name := 0, false, ""
	for {
		t, err := d.Token()
		if err != nil {
			return top
		}
		delim, isDelim := t.(json.Delim)
		switch {
		case isDelim && (delim == '{' || delim == '['):
			started = started || delim == '{'
			if started {
				depth++
			}
			if depth > 64 {
				return top
			}
			if depth == 2 {
				name = ""
			}
			continue
		case isDelim:
			if depth--; started && depth <= 0 {
				return top
			}
			continue
		case depth != 1:
			continue
		}
		s, isText := t.(string)
		switch {
		case name == "" && isText:
			name = s
			top[name] = ""
		case name != "":
			top[name] = s
			name = ""
		}
	}
}
