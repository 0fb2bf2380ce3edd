package cap_test

import (
	"testing"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The event key is the same in every message of an event; its year is that of
// the beginning, and of the message where the beginning is left open.
func TestEventKeys(t *testing.T) {
	vtec := "/O.CON.KJAN.HU.W.0012.050828T2100Z-050830T1200Z/"
	for value, want := range map[string][]string{
		"/O.NEW.KJAN.WS.W.0001.060101T0600Z-060102T0000Z/":                                                         {"KJAN.WS.W.0001.2006"},
		"/O.CON.KJAN.WS.W.0001.000000T0000Z-060102T0000Z/":                                                         {"KJAN.WS.W.0001.2005"},
		"/O.EXT.KLKN.FA.W.0018.000000T0000Z-110712T0315Z/\n/00000.0.SM.000000T0000Z.000000T0000Z.000000T0000Z.OO/": {"KLKN.FA.W.0018.2005"},
		"/O.CAN.KJAN.TO.A.0003.050829T0000Z-050829T0100Z/ /O.NEW.KJAN.TO.W.0004.050829T0000Z-050829T0100Z/":        {"KJAN.TO.A.0003.2005", "KJAN.TO.W.0004.2005"},
		"/T.NEW.KJAN.TO.W.0001.050829T0000Z-050829T0100Z/":                                                         nil,
		"rubbish": nil,
	} {
		r, reasons := one(t, with(t, vtec, value))
		if r == nil {
			t.Errorf("%s: %v", value, reasons)
			continue
		}
		var got []string
		for _, e := range r.Entities {
			for _, id := range e.Identifiers {
				if id.Type == wf.IdentifierType_IDENTIFIER_TYPE_VTEC {
					got = append(got, id.Value)
				}
			}
		}
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] || len(got) > 1 && got[1] != want[1] {
			t.Errorf("%s: got %v, want %v", value, got, want)
		}
	}
}
