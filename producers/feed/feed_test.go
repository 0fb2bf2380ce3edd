package feed_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/feed"
	"github.com/watchfloor/watchfloor/producers/native"
	"github.com/watchfloor/watchfloor/proto/vectors"
)

func TestDetect(t *testing.T) {
	v, ok := vectors.Named("admitted/sar")
	if !ok {
		t.Fatal("no vector")
	}
	stream, err := native.AppendDelimited(nil, v.Report)
	if err != nil {
		t.Fatal(err)
	}
	text, err := native.EncodeJSON(v.Report)
	if err != nil {
		t.Fatal(err)
	}
	police := "complaint,date_occur,flag_crime,flag_unfounded,count,crime_ucr,district,description,address,street,neighborhood,location_name,location_comment,latitude,longitude\n"
	for _, c := range []struct {
		name, data string
		want       feed.Format
		skip       string
	}{
		{"a.xml", `<?xml version="1.0"?><!-- <x> --><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">`, feed.CAP, ""},
		{"a.xml", "\xef\xbb\xbf<cap:alert xmlns:cap='urn:oasis:names:tc:emergency:cap:1.1'>", feed.CAP, ""},
		{"a.xml", `<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0">`, feed.CAP, ""},
		{"a.xml", `<feed xmlns="http://www.w3.org/2005/Atom">`, feed.CAP, ""},
		{"a.xml", `<rss version="2.0">`, feed.CAP, ""},
		{"a.xml", `<!DOCTYPE feed [ <!ENTITY a "b"> ]><feed/>`, feed.CAP, ""},
		{"a.xml", `<box><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/></box>`, feed.CAP, ""},
		{"a.xml", `<alert start="2011/01/01 00:00" type="Imminent Threat"/>`, "", "XML of no known format"},
		{"a.xml", `<event version="2.0" uid="x"/>`, "", "XML of no known format"},
		{"a.xsd", `<?xml version="1.0"?><xs:schema xmlns:xs="x">`, "", "an XML schema"},
		{"a.cap", `not even XML`, feed.CAP, ""},
		{"a.html", "<!DOCTYPE html><html>", "", "a web page"},
		{"a.dtd", "<!ELEMENT alerts (alert)*>", "", "a DTD"},
		{"a.pem", "-----BEGIN CERTIFICATE-----\nMII", "", "a certificate or key"},
		{"a.json", `{"type":"FeatureCollection","features":[{"properties":{"areaDesc":"x"}}]}`, feed.NWS, ""},
		{"a.json", `{"@context":["https://api.weather.gov"],"type":"FeatureCollection","features":[]}`, feed.NWS, ""},
		{"a.geojson", `{"type":"FeatureCollection","features":[]}`, "", "GeoJSON that holds neither alerts nor earthquakes"},
		{"a.geojson", `{"type":"FeatureCollection","metadata":{"url":"https://earthquake.usgs.gov/x"},"features":[]}`, feed.Quake, ""},
		{"a.json", `{"type":"bundle","id":"bundle--1"}`, feed.STIX, ""},
		{"a.json", `{"objects":[]}`, feed.STIX, ""},
		{"a.json", `{"type":"Topology","objects":{}}`, "", "JSON of no known format"},
		{"a.json", `[{"type":"malware","id":"malware--1","name":{"type":"x"}}]`, feed.STIX, ""},
		{"a.json", `{"$schema":"x","type":"object"}`, "", "a JSON schema"},
		{"a.json", `<{"spec_version": "2.1"}>`, feed.STIX, ""},
		{"a.json", `{"hello":"world"}`, "", "JSON of no known format"},
		{"a.json", `{"report_time":"x"`, feed.Native, ""},
		{"a.jsonl", string(text) + "\n" + string(text), feed.Native, ""},
		{"a", string(v.Data), feed.Native, ""},
		{"a.pb", string(stream), feed.Native, ""},
		{"a.txt", police, feed.CSV, ""},
		{"a.csv", "x,y\n", feed.CSV, ""},
		{"INDEX.csv", police, "", "an index of its folder"},
		{"deep/SOURCES.csv", police, "", "an index of its folder"},
		{"a.txt", "hello", "", "text of no known format"},
		{"a.bin", "\x00\x01\x02", "", "binary data of no known format"},
		{"a.png", "\x89PNG\r\n", "", "binary data of no known format"},
		{"a", " \n", "", "empty"},
		{"a.json", "{" + strings.Repeat(`"a":{`, 50_000), "", "JSON of no known format"},
	} {
		got, skip := feed.Detect(c.name, []byte(c.data))
		if got != c.want || skip != c.skip {
			t.Errorf("%s %.60q: got %q, %q; want %q, %q", c.name, c.data, got, skip, c.want, c.skip)
		}
	}
}

// tree writes files into a temporary folder.
func tree(t *testing.T, files fstest.MapFS) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

const report1 = `{"record":"1","incident":{"type":"fire"}}`

func TestFilesComeInOrderAndOnce(t *testing.T) {
	dir := tree(t, fstest.MapFS{
		"b/2.json": {Data: []byte(report1)}, "b/1.json": {Data: []byte(report1 + "\n{}x")}, "a.json": {Data: []byte(report1)},
		".git/x.json": {Data: []byte(report1)}, "b/.hidden.json": {Data: []byte(report1)}, "INDEX.csv": {Data: []byte("file\n")},
	})
	var got []string
	var totals feed.Totals
	for s, err := range (feed.Config{Options: options}).Files(filepath.Join(dir, "b"), dir) {
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, s.Name)
		got = append(got, filepath.ToSlash(rel))
		totals.Add(s)
	}
	if want := "b/1.json b/2.json INDEX.csv a.json"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if totals.Files != 3 || totals.Read != 4 || totals.Reports != 3 || totals.Refused != 1 || totals.Reasons["malformed"] != 1 {
		t.Errorf("got %+v", totals)
	}
}

func TestAPathThatCannotBeReadIsAnErrorAndTheWalkGoesOn(t *testing.T) {
	dir := tree(t, fstest.MapFS{"a.json": {Data: []byte(report1)}})
	var failed, read int
	for s, err := range (feed.Config{}).Files(filepath.Join(dir, "nothing"), "-", dir) {
		switch {
		case errors.Is(err, fs.ErrNotExist), s.Name == "-" && err != nil:
			failed++
		case err == nil:
			read++
		}
	}
	if failed != 2 || read != 1 {
		t.Errorf("got %d errors and %d files, want 2 and 1", failed, read)
	}
	for range (feed.Config{}).Files(filepath.Join(dir, "nothing"), dir) {
		break // a reader may stop at an error
	}
	n := 0
	for range (feed.Config{}).Files(dir, dir+"/a.json", dir) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("got %d files after a stop", n)
	}
}

func TestStandardInput(t *testing.T) {
	for s, err := range (feed.Config{Stdin: strings.NewReader(report1), Options: options}).Files("-") {
		if err != nil || s.Format != feed.Native || len(s.Items) != 1 || s.Items[0].Refused() || s.Items[0].Report.Agency != "cisa" {
			t.Errorf("got %+v, %v", s, err)
		}
	}
}

func TestATableNeedsItsMapping(t *testing.T) {
	table := []byte("id%title%authors%venue%year\n0%A title%Ann Lee, Bob Doe%VLDB%1999\n")
	if s := (feed.Config{Options: options}).Read("x.csv", table); s.Format != "" || s.Skip == "" {
		t.Errorf("two mappings have these columns: got %+v", s)
	}
	m, err := csv.Shipped("acm")
	if err != nil {
		t.Fatal(err)
	}
	s := feed.Config{Options: options, Mapping: m}.Read("x.csv", table)
	if reports, refused := s.Count(); reports != 1 || refused != 0 || s.Items[0].Report.Record != "acm-0" {
		t.Errorf("got %+v", s.Items)
	}
}

func TestAFileOverTheLimitIsRefusedUnread(t *testing.T) {
	p := filepath.Join(t.TempDir(), "big.json")
	f, err := os.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(codec.MaxInput+1), f.Close()); err != nil {
		t.Fatal(err)
	}
	for s, err := range (feed.Config{}).Files(p) {
		if _, refused := s.Count(); err != nil || refused != 1 || s.Items[0].Reasons[0].Code != "too-large" {
			t.Errorf("got %+v, %v", s, err)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{"<alert", "<!DOCTYPE x [", "<!--", "{\"type\":", "[[[", "a,b\n", "\x0a\x24", "\xef\xbb\xbf"} {
		f.Add("x.json", []byte(s))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if format, skip := feed.Detect(name, data); (format == "") == (skip == "") {
			t.Fatalf("%q: format %q, skip %q", data, format, skip)
		}
	})
}
