package nws

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/proto/admission"
)

func (r *reader) bad(code admission.Code, field, message, remedy string) {
	r.reasons.Add(code, field, message, remedy)
}

// words reads one word or a list of words.
func (r *reader) words(p map[string]any, name string) []string {
	switch v := p[name].(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		return r.strings(v, "properties."+name)
	}
	r.bad(admission.Malformed, "properties."+name, name+" is neither a word nor a list of words", "send words")
	return nil
}

func (r *reader) strings(list []any, field string) []string {
	var out []string
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			r.bad(admission.Malformed, fmt.Sprintf("%s[%d]", field, i), "the element is not text", "send text")
			continue
		}
		out = append(out, s)
	}
	return out
}

// values reads an object of lists, in the order of the names.
func (r *reader) values(p map[string]any, name string) []cap.Value {
	m, ok := p[name].(map[string]any)
	if !ok {
		if p[name] != nil {
			r.bad(admission.Malformed, "properties."+name, name+" is not an object of lists", "send names with lists of values")
		}
		return nil
	}
	var out []cap.Value
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list, ok := m[k].([]any)
		if !ok {
			list = []any{m[k]}
		}
		for _, v := range r.strings(list, "properties."+name+"."+k) {
			out = append(out, cap.Value{Name: k, Value: v})
		}
	}
	return out
}

// references lists the messages that the alert names, those that have expired
// included, as sender,identifier,sent.
func (r *reader) references(p map[string]any, parameters []cap.Value) string {
	var out []string
	list, ok := p["references"].([]any)
	if !ok && p["references"] != nil {
		r.bad(admission.Malformed, "properties.references", "references is not a list", "send a list of objects")
	}
	for i, v := range list {
		ref, ok := v.(map[string]any)
		id := identifier(nil, map[string]any{"id": ref["identifier"]})
		if !ok || id == "" || text(ref, "sender") == "" || text(ref, "sent") == "" {
			r.bad(admission.Invalid, fmt.Sprintf("properties.references[%d]", i), "the reference does not name a message", "give identifier, sender and sent")
			continue
		}
		out = append(out, text(ref, "sender")+","+id+","+text(ref, "sent"))
	}
	for _, v := range parameters {
		if v.Name == "expiredReferences" {
			out = append(out, strings.Fields(v.Value)...)
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// area is the alert's one area: its shape, its codes, and the zones it affects.
func (r *reader) area(f, p map[string]any) cap.Area {
	a := cap.Area{Description: text(p, "areaDesc")}
	r.geometry(&a, f["geometry"], 0)
	geocode, _ := p["geocode"].(map[string]any)
	a.Geocodes = r.values(map[string]any{"geocode": geocodes(geocode)}, "geocode")
	zones, _ := p["affectedZones"].([]any)
	for _, z := range r.strings(zones, "properties.affectedZones") {
		a.Geocodes = append(a.Geocodes, cap.Value{Name: "UGC", Value: z[strings.LastIndexByte(z, '/')+1:]})
	}
	return a
}

// geocodes keeps the lists that name places.
func geocodes(m map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"SAME", "UGC"} {
		if list, ok := m[name].([]any); ok {
			out[name] = list
		}
	}
	return out
}

// geometry reads a GeoJSON geometry, longitude first. Holes are left out: the
// area is then too large, never too small.
func (r *reader) geometry(a *cap.Area, v any, depth int) {
	if v == nil {
		return
	}
	g, _ := v.(map[string]any)
	list, _ := g["coordinates"].([]any)
	switch kind := text(g, "type"); {
	case kind == "Point":
		a.Circles = append(a.Circles, r.ring([]any{list})+" 0")
	case kind == "Polygon":
		r.polygon(a, list)
	case kind == "MultiPolygon":
		for _, p := range list {
			rings, _ := p.([]any)
			r.polygon(a, rings)
		}
	case kind == "GeometryCollection" && depth == 0:
		parts, _ := g["geometries"].([]any)
		for _, p := range parts {
			r.geometry(a, p, depth+1)
		}
	default:
		r.bad(admission.BadGeometry, "geometry", "the geometry is not a point, polygon, multipolygon or a collection of them", "send one of these, or null")
	}
}

func (r *reader) polygon(a *cap.Area, rings []any) {
	if len(rings) == 0 {
		r.bad(admission.BadGeometry, "geometry.coordinates", "the polygon has no ring", "give the outer ring")
		return
	}
	ring, _ := rings[0].([]any)
	a.Polygons = append(a.Polygons, r.ring(ring))
}

// ring writes positions the way CAP does.
func (r *reader) ring(list []any) string {
	var b strings.Builder
	for i, v := range list {
		pos, _ := v.([]any)
		if len(pos) < 2 {
			r.bad(admission.BadGeometry, fmt.Sprintf("geometry.coordinates[%d]", i), "the position is not longitude and latitude", "give two numbers")
			return ""
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(degrees(pos[1]) + "," + degrees(pos[0]))
	}
	return b.String()
}

// degrees is the number in plain decimals; what is none fails as a point.
func degrees(v any) string {
	n, ok := v.(json.Number)
	if !ok {
		return "?"
	}
	f, err := n.Float64()
	if err != nil {
		return "?"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
