package quality

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// affair is one thing that several people wrote a note about.
type affair struct {
	given, family string
	plate, phone  string
	car           [3]string // colour, make, model
	street, city  string
	number        int
	site, deed    string
	when          time.Time
}

// notes writes free text about the same affairs in different words, with names,
// plates, telephones and addresses inside the text and nowhere else. Every
// note has its time; none has a field that says who or what.
func notes(name string, n int) pages {
	r := seeded(name)
	p := pages{truth: map[string]string{}}
	var lines []string
	for i := 0; len(lines) < n; i++ {
		a := newAffair(r)
		for range 1 + r.n(4) {
			record := "note-" + strconv.Itoa(100_000+r.n(800_000))
			if _, taken := p.truth[record]; taken {
				continue
			}
			p.truth[record] = "n" + strconv.Itoa(i)
			lines = append(lines, a.note(r, record))
		}
	}
	shuffle(r, lines)
	p.files = []page{{"notes.jsonl", "", []byte(strings.Join(lines, "\n") + "\n")}}
	return p
}

func newAffair(r *rng) affair {
	a := affair{given: often(r, givens), family: familyName(r), number: 100 + r.n(4800), street: pick(r, streetNames) + " " + pick(r, streetKinds), city: often(r, cities)}
	for range 3 {
		a.plate += string(rune('A' + r.n(26)))
	}
	a.plate += " " + r.digits(4)
	a.phone = "601-" + strconv.Itoa(200+r.n(800)) + "-" + r.digits(4)
	a.car = [3]string{pick(r, strings.Fields("white black gray silver red blue green tan")), "", ""}
	model := pick(r, [][2]string{{"Ford", "F-150"}, {"Toyota", "Camry"}, {"Chevrolet", "Silverado"}, {"Honda", "Accord"}, {"Nissan", "Altima"}, {"Dodge", "Ram"}, {"GMC", "Sierra"}, {"Hyundai", "Elantra"}})
	a.car[1], a.car[2] = model[0], model[1]
	a.site = pick(r, []string{"the water plant", "the substation", "the rail yard", "the courthouse", "the armory", "the tank farm", "the stadium", "the high school"})
	a.deed = pick(r, []string{"photographing", "asking about the guards of", "walking along the fence of", "flying a drone over", "measuring the gate of", "sitting for hours outside"})
	a.when = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC).Add(r.duration(90 * 24 * time.Hour)).Truncate(time.Minute)
	return a
}

// note is the affair in one writer's words: each tells some of it.
func (a affair) note(r *rng, record string) string {
	who := pick(r, []string{a.given + " " + a.family, "Mr. " + a.family, strings.ToUpper(a.family) + ", " + a.given, "a man who gave his name as " + a.given + " " + a.family})
	if r.chance(25) {
		who = "an unknown man"
	}
	place := strings.TrimPrefix(strings.ReplaceAll(a.city, "-", " "), " ")
	address := fmt.Sprintf("%d %s", a.number, a.street)
	parts := []string{pick(r, []string{
		fmt.Sprintf("%s was seen %s %s in %s.", sentence(who), a.deed, a.site, place),
		fmt.Sprintf("Caller says that %s was %s %s, %s, Mississippi.", who, a.deed, a.site, place),
		fmt.Sprintf("Officer stopped %s near %s in %s; the subject had been %s it.", who, a.site, place, a.deed),
		fmt.Sprintf("Guard at %s (%s) reports %s, %s the place.", a.site, place, who, a.deed),
	})}
	if r.chance(60) {
		parts = append(parts, pick(r, []string{
			fmt.Sprintf("He drove a %s %s %s, MS plate %s.", a.car[0], a.car[1], a.car[2], a.plate),
			fmt.Sprintf("Left in a %s %s with Mississippi tag %s.", a.car[0], a.car[1], strings.ReplaceAll(a.plate, " ", "")),
			fmt.Sprintf("Vehicle: %s %s %s, license plate MS %s.", a.car[1], a.car[2], a.car[0], strings.ReplaceAll(a.plate, " ", "-")),
		}))
	}
	if r.chance(45) {
		parts = append(parts, pick(r, []string{"Reach him at " + a.phone + ".", "Call-back number " + strings.ReplaceAll(a.phone, "-", ".") + ".", "Phone given: (" + a.phone[:3] + ") " + a.phone[4:] + "."}))
	}
	if r.chance(45) {
		parts = append(parts, pick(r, []string{"Lives at " + address + ".", "Address on the permit is " + address + ", " + place + ", MS.", "He stays at " + address + "."}))
	}
	return noteLine(record, strings.Join(parts, " "), a.when.Add(r.duration(36*time.Hour).Truncate(time.Minute)))
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// noteLine is a note as Report JSON.
func noteLine(record, text string, at time.Time) string {
	b, err := json.Marshal(map[string]any{
		"record": record, "kind": "KIND_SAR", "narrative": text, "sar": map[string]any{"behaviors": []string{"BEHAVIOR_SURVEILLANCE"}},
		"event_time": map[string]any{"start": at.Format(time.RFC3339)}, "report_time": at.Format(time.RFC3339),
	})
	if err != nil {
		panic(err) // text and times only
	}
	return string(b)
}
