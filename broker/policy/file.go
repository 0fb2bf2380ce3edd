package policy

// file is the policy as written. Every field is text or a list, so that a
// wrong value is reported with its path and all others of the file.
type file struct {
	Version   int               `yaml:"version" json:"version"`
	Cells     []cellEntry       `yaml:"cells" json:"cells"`
	Agencies  []agencyEntry     `yaml:"agencies" json:"agencies"`
	Readers   []readerEntry     `yaml:"readers" json:"readers"`
	Purposes  []purposeEntry    `yaml:"purposes" json:"purposes,omitempty"`
	HTTP      httpEntry         `yaml:"http" json:"http,omitzero"`
	Retention map[string]string `yaml:"retention" json:"retention"`
	Windows   map[string]string `yaml:"windows" json:"windows"`
	History   string            `yaml:"history" json:"history"`
	Markings  markingsEntry     `yaml:"markings" json:"markings"`
	Limits    limitsEntry       `yaml:"limits" json:"limits"`
	Formats   []formatEntry     `yaml:"formats" json:"formats"`
	Revoked   []string          `yaml:"revoked" json:"revoked"`
}

type labelEntry struct {
	Level        string   `yaml:"level" json:"level"`
	Sides        []string `yaml:"sides" json:"sides"`
	Compartments []string `yaml:"compartments" json:"compartments"`
}

type cellEntry struct {
	Name  string     `yaml:"name" json:"name"`
	Title string     `yaml:"title" json:"title"`
	Label labelEntry `yaml:"label" json:"label"`
	Quota string     `yaml:"quota" json:"quota"`
}

type agencyEntry struct {
	Name        string       `yaml:"name" json:"name"`
	Title       string       `yaml:"title" json:"title"`
	Type        string       `yaml:"type" json:"type"`
	ExpectEvery string       `yaml:"expect_every" json:"expect_every"`
	Submit      []grantEntry `yaml:"submit" json:"submit"`
	// Left out, a policy has the version that it had before there was the key.
	Certificates []string `yaml:"certificates" json:"certificates,omitempty"`
}

type grantEntry struct {
	Cell     string      `yaml:"cell" json:"cell"`
	Kinds    []string    `yaml:"kinds" json:"kinds"`
	Statuses []string    `yaml:"statuses" json:"statuses"`
	Label    *labelEntry `yaml:"label" json:"label"`
}

type readerEntry struct {
	Name    string   `yaml:"name" json:"name"`
	Title   string   `yaml:"title" json:"title"`
	Type    string   `yaml:"type" json:"type"`
	Cells   []string `yaml:"cells" json:"cells"`
	Purpose string   `yaml:"purpose" json:"purpose"`
	// Purposes is the longer form of Purpose.
	Purposes []string    `yaml:"purposes" json:"purposes,omitempty"`
	Feeds    []feedEntry `yaml:"feeds" json:"feeds"`

	Certificates []string `yaml:"certificates" json:"certificates,omitempty"`
}

type feedEntry struct {
	Name   string `yaml:"name" json:"name"`
	Status string `yaml:"status" json:"status"`
	Kind   string `yaml:"kind" json:"kind"`
	State  string `yaml:"state" json:"state"`
	County string `yaml:"county" json:"county"`
	Agency string `yaml:"agency" json:"agency"`
}

type markingsEntry struct {
	TLP   map[string]markingEntry `yaml:"tlp" json:"tlp"`
	Scope map[string]markingEntry `yaml:"cap_scope" json:"cap_scope"`
	Words map[string]markingEntry `yaml:"words" json:"words"`
}

type markingEntry struct {
	Level        string   `yaml:"level" json:"level"`
	Controls     []string `yaml:"controls" json:"controls"`
	ReleasableTo []string `yaml:"releasable_to" json:"releasable_to"`
	TLP          string   `yaml:"tlp" json:"tlp"`
}

type limitsEntry struct {
	MaxReport    string `yaml:"max_report" json:"max_report"`
	MaxClockSkew string `yaml:"max_clock_skew" json:"max_clock_skew"`
	MaxBatch     int    `yaml:"max_batch" json:"max_batch"`
}

type formatEntry struct {
	Name   string `yaml:"name" json:"name"`
	Agency string `yaml:"agency" json:"agency"`
	Cell   string `yaml:"cell" json:"cell"`
}

type purposeEntry struct {
	Name  string `yaml:"name" json:"name"`
	Basis string `yaml:"basis" json:"basis"`
}

// httpEntry: what is not said is as in [HTTP].
type httpEntry struct {
	PersonToken  string `yaml:"person_token" json:"person_token,omitempty"`
	ServiceToken string `yaml:"service_token" json:"service_token,omitempty"`
	Requests     int    `yaml:"requests" json:"requests,omitempty"`
	Streams      int    `yaml:"streams" json:"streams,omitempty"`
}
