package api

import (
	"encoding/json"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// TestGeoJSONShowsTheUncertainty: the polygon of a situation is the area that
// holds its places with their uncertainty, not the places.
func TestGeoJSONShowsTheUncertainty(t *testing.T) {
	e := fusion.New(fusion.Config{Status: wf.Status_STATUS_EXERCISE})
	for i, radius := range []float64{40, 900} {
		e.Apply(fusion.Input{Cell: "le", Report: &wf.Report{
			Id: string(rune('a' + i)), Agency: "fbi", Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE,
			Kind: wf.Kind_KIND_SAR, ReportTime: timestamppb.New(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)),
			Places:   []*wf.Place{{Point: &wf.Point{Latitude: 32.3 + float64(i)/1000, Longitude: -90.2}, UncertaintyM: radius}},
			Entities: []*wf.Entity{{Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_VIN, Value: "1FTFW1ET5DFC10312"}}}},
		}})
	}
	raw, err := json.Marshal(GeoJSON(e.Situations(), 7))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Features []struct {
			Geometry struct {
				Type        string
				Coordinates [][][2]float64
			}
			Properties struct {
				Reports int
				Area    uint64 `json:"area_m2"`
			}
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Features) != 1 || got.Features[0].Geometry.Type != "Polygon" || got.Features[0].Properties.Reports != 2 {
		t.Fatalf("got %s, want one polygon of two reports", raw)
	}
	west, ring := 0.0, got.Features[0].Geometry.Coordinates[0]
	for _, p := range ring {
		west = min(west, p[0])
	}
	// 900 m are 0.00957 degrees of longitude there.
	if ring[0] != ring[len(ring)-1] || west > -90.2095 || west < -90.2105 || got.Features[0].Properties.Area < 2_500_000 {
		t.Errorf("the ring reaches west to %f, area %d m2: %s", west, got.Features[0].Properties.Area, raw)
	}
}
