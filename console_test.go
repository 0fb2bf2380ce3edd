package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/console"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The page in a real browser, on a whole floor: what agencies publish comes
// up, is explained, and goes when it is withdrawn.
func TestTheConsoleShowsTheLivePicture(t *testing.T) {
	if !console.Built() {
		t.Fatal("the page is not built into this binary: run `make console` first")
	}
	b := openTab(t)
	f := startFloor(t, "le")
	b.do("open the page", b.watchPolicy(), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(f.cell.Page()))

	b.wait("the marking stands above and below", `document.querySelectorAll("[data-banner]").length === 2`)
	b.wait("the stream is live", `document.querySelector("[data-connection=live]")`)
	for _, at := range []string{"top", "bottom"} {
		if got := b.text(`document.querySelector(".banner.` + at + `").textContent`); got != "CUI//LE" {
			t.Errorf("banner at the %s = %q, want the marking and nothing else", at, got)
		}
	}
	if got := b.text("location.href"); strings.Contains(got, "token") || strings.Contains(got, f.cell.Token) {
		t.Errorf("the token is left in the address %s", got)
	}

	first := sighting("jackson-pd", "26-000123", 32.2988, -90.1848)
	second := sighting("hinds-so", "H-2291", 32.3101, -90.2010)
	f.publish(first)
	b.wait("the first report is a situation in the list", `document.querySelectorAll("[data-situation]").length === 1`)
	b.wait("it is a mark of the map's source", `document.querySelector(".map").dataset.marks === "1"`)
	b.wait("it stands on the map", `document.querySelector(".map").dataset.drawn === "1"`)
	if got := b.text(`document.querySelector(".map").dataset.mode`); got != "webgl" {
		t.Errorf("the map is drawn by %q, want webgl", got)
	}

	f.publish(second)
	b.wait("both reports are one situation", `document.querySelector("[data-situation] .reports")?.textContent === "2 reports"`)
	both := time.Now().Add(time.Second).Truncate(time.Second)
	b.do("open it", chromedp.Click(chromedp.CSS("[data-situation]")))
	b.wait("it is explained", `document.querySelector(".explanation li")`)
	testDetail(t, b)

	b.shot("detail-dark")
	b.accessible("dark")
	b.do("switch the theme", chromedp.Click(chromedp.CSS("[data-theme-toggle]")))
	b.wait("the page is light", `document.documentElement.dataset.theme === "light"`)
	b.shot("detail-light")
	b.accessible("light")
	testNarrow(t, b)

	f.publish(report.Withdraw(second, 2, time.Now()))
	b.wait("what is withdrawn is gone", `document.querySelector("[data-situation] .reports")?.textContent === "1 report"`)
	testPast(t, b, both)
	testFeeds(t, b)
	testStatuses(t, b)
	testPolicy(t, b, f)
	b.calm()
	testPolicyHolds(t, b)
}

// testDetail reads the opened situation.
func testDetail(t *testing.T, b *tab) {
	t.Helper()
	id := b.text(`document.querySelector("[data-situation]").dataset.situation`)
	if got := b.text("location.search"); !strings.Contains(got, "situation="+id) {
		t.Errorf("the address %q does not name the selected situation %s", got, id)
	}
	why := b.text(`document.querySelector(".explanation").textContent`)
	for _, want := range []string{"26-000123", "jackson-pd", "H-2291", "hinds-so", "bits"} {
		if !strings.Contains(why, want) {
			t.Errorf("the explanation %q does not say %q", why, want)
		}
	}
	link := b.text(`document.querySelector("[data-weakest=true]").textContent`)
	for _, want := range []string{"phone", "+16015550123", "plate", "Weakest bridge", "bits"} {
		if !strings.Contains(link, want) {
			t.Errorf("the link %q does not show %q", link, want)
		}
	}
	members := b.text(`document.querySelector("table.members").textContent`)
	for _, want := range []string{"jackson-pd", "hinds-so", "26-000123", "H-2291", "SAR"} {
		if !strings.Contains(members, want) {
			t.Errorf("the reports %q do not name %q", members, want)
		}
	}
	if got := b.text(`document.querySelector("[data-digest]").dataset.digest`); len(got) != 64 || strings.Trim(got, "0") == "" {
		t.Errorf("digest of the picture = %q", got)
	}
}

// testNarrow shows the page as a wide window at 400 % does (WCAG 1.4.10).
func testNarrow(t *testing.T, b *tab) {
	t.Helper()
	b.do("make the window narrow", chromedp.EmulateViewport(320, 900))
	if got := b.text(`document.documentElement.scrollWidth`); got != "320" {
		t.Errorf("a window of 320 pixels shows a page of %s: it scrolls in two directions", got)
	}
	b.accessible("narrow")
	b.do("make the window wide", chromedp.EmulateViewport(1440, 900))
}

// testPast goes back to when both reports were there, and says so all the while.
func testPast(t *testing.T, b *tab, at time.Time) {
	t.Helper()
	stamp := at.UTC().Format("2006-01-02T15:04:05")
	b.text(`(() => { const i = document.querySelector("#as-of"); i.value = "` + stamp + `"; i.dispatchEvent(new Event("change", {bubbles: true})); })()`)
	b.wait("the picture of then is there", `document.querySelector("[data-situation] .reports")?.textContent === "2 reports"`)
	b.wait("it says that it is not live", `document.querySelector("[data-past]")?.textContent.includes("not live") && document.querySelector("[data-connection=past]")`)
	b.wait("it is explained as of then", `document.querySelector(".explanation li") && document.querySelector("[data-weakest=true]") && performance.getEntriesByType("resource").some((r) => r.name.includes("/v1/situations/") && r.name.includes("as_of="))`)
	if got := b.text("location.search"); !strings.Contains(got, "as_of="+stamp+"Z") {
		t.Errorf("the address %q does not name the time", got)
	}
	b.shot("past")
	b.accessible("past")
	b.do("go back to live", chromedp.Click(chromedp.CSS("[data-back-to-live]")))
	b.wait("the picture of now is back", `document.querySelector("[data-connection=live]") && document.querySelector("[data-situation] .reports")?.textContent === "1 report"`)
	if got := b.text(`document.querySelectorAll("[data-past]").length`); got != "0" {
		t.Error("the live picture still says that it is of an earlier time")
	}
}

// testFeeds opens the feeds: who was heard, and who should have been and was not.
func testFeeds(t *testing.T, b *tab) {
	t.Helper()
	b.do("open the feeds", chromedp.Click(chromedp.CSS("[data-feeds]")))
	b.wait("the feeds are listed", `document.querySelector("table.feeds tbody tr")`)
	rows := func(silent string) string {
		return b.text(`[...document.querySelectorAll("table.feeds tr[data-silent=` + silent + `]")].map((r) => r.innerText).join("\n")`)
	}
	heard := rows("false")
	for _, agency := range []string{"jackson-pd", "hinds-so"} {
		if !strings.Contains(heard, agency) {
			t.Errorf("%s is not among the feeds heard:\n%s", agency, heard)
		}
	}
	if silent := rows("true"); !strings.Contains(silent, "nws") || !strings.Contains(silent, "never") {
		t.Errorf("the feed of nws, never heard, is not among the silent ones:\n%s", silent)
	}
	b.shot("feeds")
	b.accessible("feeds")
}

// testStatuses looks at the other statuses: an exercise says so in a strip of
// its own, and actual traffic is not in it.
func testStatuses(t *testing.T, b *tab) {
	t.Helper()
	if got := b.text(`document.querySelectorAll(".strip").length`); got != "0" {
		t.Error("actual traffic is marked as an exercise")
	}
	b.do("go to the exercise", chromedp.Click(chromedp.CSS("[data-status=exercise]")))
	b.wait("the strip says exercise", `document.querySelector(".strip.exercise")?.textContent.includes("EXERCISE")`)
	b.wait("nothing actual is in it", `document.querySelector("[data-connection=live]") && document.querySelectorAll("[data-situation]").length === 0`)
	if got := b.text(`document.querySelector(".banner.top").textContent`); got != "CUI//LE" {
		t.Errorf("banner of an exercise = %q, want the marking alone", got)
	}
}

// sighting is a suspicious activity report of one grey pickup and one phone.
func sighting(agency, record string, latitude, longitude float64) *wf.Report {
	now := time.Now().Add(-time.Minute).Truncate(time.Second)
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: agency, Record: record, Kind: wf.Kind_KIND_SAR, Status: wf.Status_STATUS_ACTUAL,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_SAR,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now)}, ReportTime: timestamppb.New(now),
		Places: []*wf.Place{{
			Point: &wf.Point{Latitude: latitude, Longitude: longitude}, UncertaintyM: 50,
			CountyFips: "28049", State: "MS", Role: wf.PlaceRole_PLACE_ROLE_EVENT,
		}},
		SourceReliability:      wf.SourceReliability_SOURCE_RELIABILITY_B,
		InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity:               wf.Severity_SEVERITY_SEVERE,
		Narrative:              "A grey pickup stopped at the north gate; the driver photographed the intake.",
		Entities: []*wf.Entity{{
			Role: wf.EntityRole_ENTITY_ROLE_SUBJECT,
			Identifiers: []*wf.Identifier{
				{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015550123"},
				{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: "HNB4421", Issuer: "US-MS"},
			},
			Detail: &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: "Ford", Model: "F-150", Color: "grey"}},
		}},
		Body: &wf.Report_Sar{Sar: &wf.Sar{
			Behaviors:     []wf.Behavior{wf.Behavior_BEHAVIOR_PHOTOGRAPHY},
			Circumstances: []string{"Third visit in a week, each at shift change."},
		}},
	}
}
