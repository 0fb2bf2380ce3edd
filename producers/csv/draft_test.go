package csv_test

import (
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/producers/csv"
)

// A draft is a mapping: it reads the table it was made for, and what it does not
// know it leaves out by name.
func TestADraftReadsItsTable(t *testing.T) {
	const people = `ID;Full Name;DOB;Phone Number;E-Mail;Street Address;City;Zip;Seen;Notes;Shoe size
7;"Haddad, Karim";04/09/1988;(601) 555-0123;k@mailbox.example;12 Oak St;Jackson;39201;2025-03-14 14:05;at the gate;44
8;Ann Eastdon;11/23/1961;;;;Biloxi;;2025-03-15 09:00;;39
`
	text, err := csv.Draft("People (new).csv", []byte(people))
	if err != nil {
		t.Fatal(err)
	}
	m, err := csv.ParseMapping(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !m.Fits([]byte(people)) || len(m.Ignore) != 1 || m.Ignore[0] != "Shoe size" {
		t.Errorf("it ignores %q:\n%s", m.Ignore, text)
	}
	items := csv.Decode([]byte(people), options, m)
	if len(items) != 2 || items[0].Refused() || items[1].Refused() {
		t.Fatalf("%+v\n%s", items, text)
	}
	r := items[0].Report
	e := r.Entities[0]
	if r.Record != "7" || r.Narrative != "at the gate" || e.GetPerson().Names[0].Family != "Haddad" || e.GetPerson().Birth.Month != 4 ||
		len(e.Identifiers) != 2 || e.Addresses[0].Postcode != "39201" || r.EventTime.Start.AsTime().Hour() != 14 {
		t.Errorf("the first row became %v\n%s", r, text)
	}
}

func TestDraftsOfTheCorpusReadIt(t *testing.T) {
	for file, known := range map[string]int{"labelled/febrl/dataset1.csv": 9, "labelled/splink_fake_1000.csv": 5, "assets/ms_hospitals_cms.csv": 6, "labelled/jedai_D4/acm.csv": 2} {
		data := corpus(t, file)
		text, err := csv.Draft(file[strings.LastIndexByte(file, '/')+1:], data)
		if err != nil {
			t.Fatal(err)
		}
		m, err := csv.ParseMapping(text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, text)
		}
		for _, item := range csv.Decode(data, options, m) {
			if item.Refused() {
				t.Fatalf("%s %s: %s\n%s", file, item.Where, item.Reasons, text)
			}
		}
		if n := len(m.Fields) - 2; n < known {
			t.Errorf("%s: %d columns have a place, want %d\n%s", file, n, known, text)
		}
	}
}

// Whatever the table, the draft of it is a mapping.
func FuzzDraft(f *testing.F) {
	f.Add("a.csv", []byte("id,name\n1,x\n"))
	f.Add("", []byte("\"a\"\"b\";c\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		text, err := csv.Draft(name, data)
		if err != nil {
			return
		}
		if _, err := csv.ParseMapping(text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}

// What a mapping accepts fails on a row only by what the row holds.
func TestAMappingThatFillsNoBodyIsRefused(t *testing.T) {
	const head = "name: notes\nkind: sar\nrecord: {columns: [a]}\nfields:\n  - {to: narrative, column: b}\n"
	if _, err := csv.ParseMapping([]byte(head)); err == nil || !strings.Contains(err.Error(), "one of sar") {
		t.Errorf("got %v, want that no field fills the body", err)
	}
	if _, err := csv.ParseMapping([]byte(head + "  - {to: sar.behaviors, value: BEHAVIOR_SURVEILLANCE}\n")); err != nil {
		t.Error(err)
	}
	if _, err := csv.ParseMapping([]byte(strings.Replace(head, "narrative", "story", 1))); err == nil || !strings.Contains(err.Error(), "narrative") {
		t.Errorf("got %v, want the names there are", err)
	}
	if _, err := csv.ParseMapping([]byte(strings.Replace(head, "to: narrative", "to: entities[0].description", 1))); err == nil || !strings.Contains(err.Error(), "needs quotes") {
		t.Errorf("got %v, want that brackets need quotes", err)
	}
}
