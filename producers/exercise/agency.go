package exercise

import (
	"fmt"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Cells of the default policy.
const (
	Open   = "open"
	LE     = "le"
	IntelS = "intel-s"
	Intel  = "intel"
	FusedS = "fused-s"
	Fused  = "fused"
)

// Cells lists them from low to high.
var Cells = []string{Open, LE, IntelS, Intel, FusedS, Fused}

// CellLabel is the label of a cell of the default policy; the zero label,
// which reads nothing, for any other.
func CellLabel(cell string) label.Label {
	var l label.Label
	var err error
	switch cell {
	case Open:
		l, err = label.New(label.Unclassified, 0)
	case LE:
		l, err = label.New(label.CUI, label.LE)
	case IntelS:
		l, err = label.New(label.Secret, label.Intel)
	case Intel:
		l, err = label.New(label.TopSecret, label.Intel)
	case FusedS:
		l, err = label.New(label.Secret, label.LE|label.Intel)
	case Fused:
		l, err = label.New(label.TopSecret, label.LE|label.Intel)
	}
	if err != nil {
		return label.Label{}
	}
	return l
}

// agency takes part in the exercise.
type agency struct {
	token  string
	cell   string
	prefix string // of its own record numbers
	kinds  []wf.Kind
	// fips is where a local agency works; empty for the whole state.
	fips string
	// noise is its share of the everyday traffic.
	noise int
}

var (
	warning   = []wf.Kind{wf.Kind_KIND_HAZARD, wf.Kind_KIND_INCIDENT}
	emergency = []wf.Kind{wf.Kind_KIND_INCIDENT, wf.Kind_KIND_RESOURCE, wf.Kind_KIND_ASSET, wf.Kind_KIND_HAZARD}
	police    = []wf.Kind{wf.Kind_KIND_SAR, wf.Kind_KIND_INCIDENT, wf.Kind_KIND_INCIDENT, wf.Kind_KIND_SAR, wf.Kind_KIND_THREAT}
	intel     = []wf.Kind{wf.Kind_KIND_THREAT, wf.Kind_KIND_CYBER, wf.Kind_KIND_SAR}
	desk      = []wf.Kind{wf.Kind_KIND_THREAT, wf.Kind_KIND_BULLETIN, wf.Kind_KIND_SAR}
)

var agencies = []agency{
	{"nws", Open, "NWS", warning, "", 26},
	{"nhc", Open, "NHC", warning, "", 2},
	{"usgs", Open, "USGS", warning, "", 8},
	{"ipaws", Open, "IPAWS", warning, "", 8},
	{"fema", Open, "FEMA", []wf.Kind{wf.Kind_KIND_RESOURCE, wf.Kind_KIND_INCIDENT, wf.Kind_KIND_BULLETIN}, "", 8},
	{"mema", Open, "MEMA", emergency, "", 16},
	{"msdh", Open, "MSDH", emergency, "", 10},
	{"mdot", Open, "MDOT", emergency, "", 30},
	{"hinds-eoc", Open, "HCEOC", emergency, "28049", 16},
	{"harrison-eoc", Open, "HREOC", emergency, "28047", 16},
	{"ntas", Open, "NTAS", []wf.Kind{wf.Kind_KIND_BULLETIN}, "", 1},
	{"redcross", Open, "ARC", []wf.Kind{wf.Kind_KIND_RESOURCE, wf.Kind_KIND_INCIDENT}, "", 8},
	{"entergy", Open, "ENT", []wf.Kind{wf.Kind_KIND_INCIDENT, wf.Kind_KIND_ASSET, wf.Kind_KIND_CYBER}, "", 20},
	{"fbi", LE, "FBI", police, "", 30},
	{"atf", LE, "ATF", police, "", 18},
	{"dea", LE, "DEA", police, "", 22},
	{"usms", LE, "USMS", police, "", 14},
	{"hsi", LE, "HSI", police, "", 16},
	{"cbp", LE, "CBP", police, "", 16},
	{"tsa", LE, "TSA", police, "", 14},
	{"uscg", LE, "USCG", police, "", 14},
	{"usss", LE, "USSS", police, "", 8},
	{"mhp", LE, "MHP", police, "", 80},
	{"mbi", LE, "MBI", police, "", 36},
	{"msaic", LE, "MSAIC", []wf.Kind{wf.Kind_KIND_SAR}, "", 40},
	{"jackson-pd", LE, "JPD", police, "28049", 90},
	{"gulfport-pd", LE, "GPD", police, "28047", 46},
	{"biloxi-pd", LE, "BPD", police, "28047", 40},
	{"hattiesburg-pd", LE, "HPD", police, "28035", 40},
	{"hinds-so", LE, "HCSO", police, "28049", 36},
	{"harrison-so", LE, "HRSO", police, "28047", 34},
	{"choctaw-pd", LE, "CPD", police, "28099", 14},
	{"miac", LE, "MIAC", []wf.Kind{wf.Kind_KIND_SAR}, "", 12},
	{"stl-pd", LE, "SLMPD", police, "29510", 26},
	{"csx-police", LE, "CSX", police, "", 14},
	{"grand-gulf", LE, "GGNS", []wf.Kind{wf.Kind_KIND_SAR}, "28021", 8},
	{"cisa", LE, "CISA", []wf.Kind{wf.Kind_KIND_CYBER}, "", 26},
	{"dhs-ia", IntelS, "IA", intel, "", 34},
	{"northcom", IntelS, "NC", []wf.Kind{wf.Kind_KIND_THREAT, wf.Kind_KIND_SAR}, "", 18},
	{"energy-in", IntelS, "IN", intel, "", 16},
	{"cia", Intel, "CIR", []wf.Kind{wf.Kind_KIND_THREAT}, "", 22},
	{"nsa", Intel, "SIR", []wf.Kind{wf.Kind_KIND_CYBER, wf.Kind_KIND_THREAT}, "", 24},
	{"dia", Intel, "IIR", intel, "", 16},
	{"nctc", Intel, "CT", []wf.Kind{wf.Kind_KIND_THREAT}, "", 14},
	{"fbi-ib", Intel, "IB", intel, "", 20},
	{"msaic-fusion", FusedS, "MSF", desk, "", 12},
	{"noc-desk", Fused, "NOC", desk, "", 12},
}

var (
	agencyIndex = func() map[string]*agency {
		m := make(map[string]*agency, len(agencies))
		for i := range agencies {
			m[agencies[i].token] = &agencies[i]
		}
		return m
	}()
	byNoise = cumulate(len(agencies), func(i int) int { return agencies[i].noise })
)

// number is a record number as the agency writes it.
func (a *agency) number(year int, serial uint64) string {
	return fmt.Sprintf("%s-%02d-%07d", a.prefix, year%100, serial)
}

// home is a point where the agency works.
func (a *agency) home(r *rng) spot {
	switch a.fips {
	case "":
		return r.somewhere(r.county())
	case "29510":
		s := r.in(disc{38637000, -90245000, 4500}, a.fips)
		s.name = "St. Louis"
		return s
	case "28021":
		return r.near(sites[0].spot(), 2500)
	}
	return r.somewhere(countyByFIPS(a.fips))
}

// label is the one a report of the agency carries: its cell's, or one below
// with the same sides.
func (a *agency) label(r *rng, kind wf.Kind) *wf.Label {
	m := CellLabel(a.cell).Proto()
	switch a.cell {
	case LE:
		if kind == wf.Kind_KIND_SAR || r.chance(400) {
			m.Controls = []wf.Control{wf.Control_CONTROL_LES}
		} else if r.chance(150) {
			m.Level = wf.Level_LEVEL_UNCLASSIFIED
		}
	case IntelS:
		if r.chance(300) {
			m.Controls = []wf.Control{wf.Control_CONTROL_NOFORN}
		}
	case Intel:
		switch {
		case r.chance(500):
			m.Controls = []wf.Control{wf.Control_CONTROL_NOFORN}
		case r.chance(200):
			m.ReleasableTo = []string{"USA", "FVEY"}
		}
		if r.chance(200) {
			m.Level = wf.Level_LEVEL_SECRET
		}
	}
	return m
}
