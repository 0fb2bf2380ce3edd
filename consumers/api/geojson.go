package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

type collection struct {
	Type     string    `json:"type"`
	Revision string    `json:"revision"`
	AsOf     *asOfBody `json:"as_of,omitempty"`
	Features []feature `json:"features"`
}

type feature struct {
	Type       string     `json:"type"`
	ID         string     `json:"id"`
	Geometry   *geometry  `json:"geometry"`
	Properties properties `json:"properties"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

type properties struct {
	ID         string `json:"id"`
	Kind       string `json:"kind"`
	Headline   string `json:"headline"`
	Severity   string `json:"severity"`
	Confidence int32  `json:"confidence_permille"`
	Reports    int    `json:"reports"`
	Score      int32  `json:"score"`
	LastEvent  string `json:"last_event,omitempty"`
	Ended      bool   `json:"ended"`
	// Uncertainty of a point in metres; of the geometry, which holds every place
	// with its uncertainty, the area in square metres.
	UncertaintyM float64 `json:"uncertainty_m,omitempty"`
	AreaM2       uint64  `json:"area_m2,omitempty"`
	// Parts of a mass situation.
	Parts uint32 `json:"parts,omitempty"`
}

// geojson answers the whole picture as RFC 7946 features.
func (s *Server) geojson(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "status", "as_of", "replay")
	if !ok {
		return
	}
	v, status, ok := s.view(w, q)
	if !ok {
		return
	}
	l, ok := s.listing(w, r, q, v, status)
	if !ok {
		return
	}
	c := features(l.situations, l.at.revision)
	c.AsOf = l.asOf
	w.Header().Set("Content-Type", "application/geo+json")
	writeJSON(w, http.StatusOK, c)
}

// GeoJSON is situations as a feature collection, ready for encoding/json.
func GeoJSON(situations []*wf.Situation, revision uint64) any {
	return features(situations, revision)
}

func features(situations []*wf.Situation, revision uint64) collection {
	c := collection{Type: "FeatureCollection", Revision: strconv.FormatUint(revision, 10), Features: make([]feature, 0, len(situations))}
	for _, x := range situations {
		f := feature{Type: "Feature", ID: x.GetId(), Geometry: shape(x), Properties: properties{
			ID: x.GetId(), Kind: word(x.GetKind().String(), "KIND_"), Headline: x.GetHeadline(),
			Severity: word(x.GetSeverity().String(), "SEVERITY_"), Confidence: x.GetConfidencePermille(),
			Reports: int(x.GetSize()), Score: x.GetScore(), Ended: x.GetEnded(),
			UncertaintyM: x.GetUncertaintyM(), AreaM2: x.GetAreaM2(), Parts: x.GetPartCount(),
		}}
		if x.GetLastEvent() != nil {
			f.Properties.LastEvent = instant(x.GetLastEvent().AsTime())
		}
		c.Features = append(c.Features, f)
	}
	return c
}

// shape is the hull when it is an area, else the middle; nil without a place.
func shape(x *wf.Situation) *geometry {
	if h := x.GetHull(); len(h) >= 3 {
		ring := make([][2]float64, 0, len(h)+1)
		for _, p := range h {
			ring = append(ring, position(p))
		}
		if ring[0] != ring[len(ring)-1] {
			ring = append(ring, ring[0])
		}
		if len(ring) >= 4 {
			return &geometry{"Polygon", [][][2]float64{counterclockwise(ring)}}
		}
	}
	if x.GetCenter() == nil {
		return nil
	}
	return &geometry{"Point", position(x.GetCenter())}
}

func position(p *wf.Point) [2]float64 { return [2]float64{p.GetLongitude(), p.GetLatitude()} }

// counterclockwise is how RFC 7946 wants an outer ring.
func counterclockwise(ring [][2]float64) [][2]float64 {
	area := 0.0
	for i := range len(ring) - 1 {
		area += ring[i][0]*ring[i+1][1] - ring[i+1][0]*ring[i][1]
	}
	if area < 0 {
		slices.Reverse(ring)
	}
	return ring
}

// word is an enum value without its prefix, in lower case.
func word(name, prefix string) string {
	return strings.ToLower(strings.TrimPrefix(name, prefix))
}

func sortFeeds(f []feedBody) {
	slices.SortFunc(f, func(a, b feedBody) int {
		return cmp.Or(cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Agency, b.Agency))
	})
}
