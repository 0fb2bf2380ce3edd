package exercise

// Truth says which event each report of a scenario speaks of.
type Truth struct {
	event map[Key]string
	group map[string][]Key
}

// Truth writes the scenario once and keeps what it is about, not the reports.
// It takes about 200 bytes a report.
func (s *Scenario) Truth() *Truth {
	t := &Truth{event: make(map[Key]string, s.config.Reports), group: map[string][]Key{}}
	for step := range s.Steps() {
		k := step.Key()
		if _, seen := t.event[k]; seen {
			continue
		}
		t.event[k] = step.Event
		t.sort(k, step.Event)
	}
	return t
}

// Groups that Group knows.
const (
	GroupPlot      = EventPlot
	GroupPlotLE    = "plot-le-half"
	GroupPlotIntel = "plot-intel-half"
	GroupDecoy     = EventDecoy
	GroupHurricane = EventHurricane
	GroupIntrusion = EventIntrusion
	GroupCircular  = EventCircular
)

func (t *Truth) sort(k Key, event string) {
	switch event {
	case EventPlot:
		half := GroupPlotIntel
		if k.Cell == LE {
			half = GroupPlotLE
		}
		t.group[half] = append(t.group[half], k)
	case EventDecoy, EventHurricane, EventIntrusion, EventCircular:
	default:
		return
	}
	t.group[event] = append(t.group[event], k)
}

// Event is the event a report speaks of; empty when no other does. The second
// value is false for a report that is not of the scenario.
func (t *Truth) Event(k Key) (string, bool) {
	e, ok := t.event[k]
	return e, ok
}

// Group lists the reports of a named part of the story, in order of submission.
func (t *Truth) Group(name string) []Key { return t.group[name] }

// Len is the number of different reports.
func (t *Truth) Len() int { return len(t.event) }
