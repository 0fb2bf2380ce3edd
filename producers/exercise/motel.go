package exercise

import (
	"fmt"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// motel writes the unrelated reports that mention the motel's switchboard,
// enough of them in cell le to make its number mean nothing, in the first half
// of the exercise and in the second.
func motel(s *story) {
	r := &s.rng
	towns := []string{"28035", "28049", "28067", "28075", "28087", "28081", "28047", "28033", "28113", "28151", "28059", "28121"}
	who := []string{"mhp", "jackson-pd", "hattiesburg-pd", "hinds-so", "mbi", "dea", "usms", "biloxi-pd"}
	guests := 24
	if s.world.size >= 10 {
		guests = 52
	}
	every := int(Span/time.Minute) * 9 / 10 / guests
	for i := range guests {
		c := countyByFIPS(towns[i%len(towns)])
		at := r.somewhere(c)
		guest := r.person()
		if i%3 == 0 {
			guest.family = r.common()
		}
		when := s.world.after(time.Duration(i*every+r.between(0, every)) * time.Minute)
		p := s.report("", who[i%len(who)], wf.Kind_KIND_SAR, when).at(at.place(80)).
			about(guest.subject(ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, s.world.switchboards[0], "")))
		b := everyday[r.n(len(everyday))]
		p.say(b.title, fmt.Sprintf("%s %s gave the motel's switchboard %s.", b.text, guest.name(), s.world.switchboards[0])).
			sar("", "", b.behavior).send()
	}
}

// matter is something everyday that is reported as suspicious.
type matter struct {
	behavior    wf.Behavior
	title, text string
}

var everyday = []matter{
	{wf.Behavior_BEHAVIOR_PHOTOGRAPHY, "Person photographed a substation", "A person took pictures of transformers from the road."},
	{wf.Behavior_BEHAVIOR_SURVEILLANCE, "Car parked by a pumping station", "A car stood for an hour with the engine running."},
	{wf.Behavior_BEHAVIOR_ELICITING, "Questions at a counter", "A caller asked at length who has keys after hours."},
	{wf.Behavior_BEHAVIOR_TESTING_SECURITY, "Alarm set off twice", "A side door alarm was set off twice and nobody was found."},
	{wf.Behavior_BEHAVIOR_MATERIALS, "Large cash purchase", "A customer bought an unusual quantity of fertilizer."},
	{wf.Behavior_BEHAVIOR_THEFT, "Uniform missing", "A uniform is missing from a laundry."},
	{wf.Behavior_BEHAVIOR_BREACH, "Gate found open", "A gate that is kept locked was found open."},
	{wf.Behavior_BEHAVIOR_MISREPRESENTATION, "False badge shown", "A visitor showed a badge that was not issued."},
	{wf.Behavior_BEHAVIOR_AVIATION, "Drone over a yard", "A small drone circled a rail yard."},
	{wf.Behavior_BEHAVIOR_EXPERTISE, "Odd request at a range", "A student asked to skip the safety part of a course."},
	{wf.Behavior_BEHAVIOR_WEAPONS, "Ammunition left behind", "A box of ammunition was left in a rental car."},
	{wf.Behavior_BEHAVIOR_SABOTAGE, "Cable cut", "A fibre cable was cut in a manhole."},
	{wf.Behavior_BEHAVIOR_THREAT, "Threatening note", "A note with threats was left on a windshield."},
	{wf.Behavior_BEHAVIOR_RECRUITING, "Leaflets handed out", "Leaflets with an offer of paid training were handed out."},
}
