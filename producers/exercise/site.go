package exercise

import "fmt"

// site is a real piece of critical infrastructure.
type site struct {
	id   string
	name string
	at   spot
	// sector is the NIEM target sector code, lifeline the FEMA lifeline's number.
	sector   string
	lifeline int32
	// tier 1 is the most critical.
	tier int32
	// watch is who reports what is seen at the fence, police who comes.
	watch, police string
}

var sites = []site{
	{"MS-NUC-001", "Grand Gulf Nuclear Station", spot{32008100, -91047800, "28021", ""}, "NCLR", 4, 1, "grand-gulf", "mhp"},
	{"MS-PRT-001", "Port of Gulfport", spot{30369000, -89092000, "28047", ""}, "TRANS", 6, 1, "uscg", "gulfport-pd"},
	{"MS-PRT-002", "Port of Pascagoula", spot{30356000, -88559000, "28059", ""}, "TRANS", 6, 1, "uscg", "mbi"},
	{"MS-REF-001", "Pascagoula Refinery", spot{30344000, -88492000, "28059", ""}, "ENRG", 4, 1, "uscg", "mbi"},
	{"MS-BRG-001", "Interstate 20 bridge at Vicksburg", spot{32321500, -90905000, "28149", ""}, "TRANS", 6, 1, "csx-police", "mhp"},
	{"MS-BRG-002", "Natchez-Vidalia bridge", spot{31558600, -91415000, "28001", ""}, "TRANS", 6, 2, "mhp", "mbi"},
	{"MS-NASA-001", "NASA Stennis Space Center", spot{30363000, -89600000, "28045", ""}, "GVTBLDG", 1, 1, "tsa", "mbi"},
	{"MS-AFB-001", "Keesler Air Force Base", spot{30410400, -88923900, "28047", ""}, "DFNSE", 1, 1, "harrison-so", "biloxi-pd"},
	{"MS-AFB-002", "Columbus Air Force Base", spot{33643800, -88443800, "28087", ""}, "DFNSE", 1, 2, "mhp", "mbi"},
	{"MS-NAS-001", "Naval Air Station Meridian", spot{32552000, -88555000, "28075", ""}, "DFNSE", 1, 2, "mhp", "mbi"},
	{"MS-CMP-001", "Camp Shelby", spot{31190000, -89205000, "28035", ""}, "DFNSE", 1, 2, "hattiesburg-pd", "mhp"},
	{"MS-SHP-001", "Ingalls shipyard", spot{30348000, -88578000, "28059", ""}, "DFNSE", 1, 1, "uscg", "mbi"},
	{"MS-PWR-001", "Victor J. Daniel power plant", spot{30532200, -88555300, "28059", ""}, "ENRG", 4, 1, "msaic", "mbi"},
	{"MS-PWR-002", "Jack Watson power plant", spot{30439200, -89028600, "28047", ""}, "ENRG", 4, 2, "harrison-so", "gulfport-pd"},
	{"MS-PWR-003", "Baxter Wilson power plant", spot{32283100, -90930600, "28149", ""}, "ENRG", 4, 2, "msaic", "mhp"},
	{"MS-PWR-004", "Moselle power plant", spot{31528000, -89300400, "28067", ""}, "ENRG", 4, 2, "msaic", "mhp"},
	{"MS-PWR-005", "Gerald Andrus power plant", spot{33350000, -91116700, "28151", ""}, "ENRG", 4, 2, "msaic", "mhp"},
	{"MS-PWR-006", "Red Hills generating facility", spot{33376100, -89218300, "28019", ""}, "ENRG", 4, 3, "msaic", "mhp"},
	{"MS-DAM-001", "Ross Barnett Reservoir dam", spot{32397200, -90064900, "28121", ""}, "DAMS", 8, 1, "mhp", "jackson-pd"},
	{"MS-DAM-002", "Sardis dam", spot{34408700, -89797000, "28107", ""}, "DAMS", 8, 1, "mhp", "mbi"},
	{"MS-DAM-003", "Grenada dam", spot{33821600, -89772400, "28043", ""}, "DAMS", 8, 1, "mhp", "mbi"},
	{"MS-DAM-004", "Okatibbee dam", spot{32475000, -88798300, "28075", ""}, "DAMS", 8, 2, "mhp", "mbi"},
	{"MS-HOS-001", "University of Mississippi Medical Center", spot{32329500, -90173100, "28049", ""}, "HLTH", 3, 1, "jackson-pd", "hinds-so"},
	{"MS-HOS-002", "Forrest General Hospital", spot{31318600, -89329600, "28035", ""}, "HLTH", 3, 2, "hattiesburg-pd", "mhp"},
	{"MS-HOS-003", "Memorial Hospital at Gulfport", spot{30367700, -89115600, "28047", ""}, "HLTH", 3, 2, "gulfport-pd", "harrison-so"},
	{"MS-HOS-004", "North Mississippi Medical Center", spot{34242000, -88716400, "28081", ""}, "HLTH", 3, 2, "mhp", "mbi"},
	{"MS-APT-001", "Jackson-Medgar Wiley Evers International Airport", spot{32311200, -90075900, "28121", ""}, "TRANS", 6, 1, "tsa", "jackson-pd"},
	{"MS-APT-002", "Gulfport-Biloxi International Airport", spot{30407300, -89070100, "28047", ""}, "TRANS", 6, 2, "tsa", "gulfport-pd"},
	{"MS-APT-003", "Meridian Regional Airport", spot{32333100, -88751200, "28075", ""}, "TRANS", 6, 3, "tsa", "mhp"},
	{"MS-GOV-001", "State Capitol", spot{32303800, -90182100, "28049", ""}, "GVTBLDG", 1, 1, "usss", "jackson-pd"},
	{"MS-WTR-001", "O. B. Curtis water treatment plant", spot{32404000, -90060000, "28121", ""}, "WATR", 8, 1, "jackson-pd", "hinds-so"},
	{"MS-EDU-001", "University of Mississippi stadium", spot{34361900, -89534200, "28071", ""}, "ENTMT", 1, 2, "mhp", "mbi"},
	{"MS-EDU-002", "Mississippi State University stadium", spot{33456300, -88793400, "28105", ""}, "ENTMT", 1, 2, "mhp", "mbi"},
	{"MS-COR-001", "State Penitentiary at Parchman", spot{33921000, -90508000, "28133", ""}, "CORR", 1, 2, "mhp", "mbi"},
	{"MS-MFG-001", "Canton vehicle assembly plant", spot{32566000, -90072000, "28089", ""}, "MFG", 1, 3, "mhp", "hinds-so"},
}

// spot is the site's position with its name.
func (s *site) spot() spot {
	p := s.at
	p.name = s.name
	return p
}

// siteByID finds a site; the id must be one of the table.
func siteByID(id string) *site {
	for i := range sites {
		if sites[i].id == id {
			return &sites[i]
		}
	}
	return &sites[0]
}

// lesser are facilities that every town has.
var lesser = []struct {
	name, sector string
	lifeline     int32
}{
	{"substation", "ENRG", 4}, {"pumping station", "WATR", 8}, {"water tower", "WATR", 8}, {"fuel terminal", "ENRG", 4},
	{"rail yard", "TRANS", 6}, {"armory", "DFNSE", 1}, {"clinic", "HLTH", 3}, {"courthouse annex", "GVTBLDG", 1}, {"grain elevator", "MFG", 2},
}

// target is what an event turns on: one of the sites or, the more often the
// larger the scenario is, a lesser facility of some town. A state has not more
// sites for having more reports.
func (s *story) target() *site {
	r := &s.rng
	var out site
	switch x := r.n(1000); {
	case x < max(300, 1000-2_500_000/s.world.config.Reports):
		c := r.county()
		l := one(r, lesser)
		at := r.somewhere(c)
		number := r.between(1, 60)
		out = site{id: fmt.Sprintf("MS-LOC-%s-%s", c.fips, r.digits(5)), name: fmt.Sprintf("%s %s %d", c.seat, l.name, number), at: at, sector: l.sector, lifeline: l.lifeline, tier: 3}
	case x < 700:
		out = sites[r.n(len(sites))]
	default:
		out = facilities[r.n(len(facilities))]
	}
	if out.watch == "" {
		out.watch, out.police = "msaic", "mhp"
		switch out.at.fips {
		case "28047":
			out.watch, out.police = "harrison-so", one(r, []string{"gulfport-pd", "biloxi-pd"})
		case "28049":
			out.watch, out.police = "hinds-so", "jackson-pd"
		case "28035":
			out.police = "hattiesburg-pd"
		case "28099":
			out.police = "choctaw-pd"
		}
	}
	return &out
}

// sectorName is the sector of PPD-21 for a NIEM target sector code.
func sectorName(code string) string { return sectorNames[code] }

var sectorNames = map[string]string{
	"NCLR": "Nuclear Reactors, Materials, and Waste", "TRANS": "Transportation Systems", "ENRG": "Energy",
	"GVTBLDG": "Government Facilities", "DFNSE": "Defense Industrial Base", "DAMS": "Dams", "HLTH": "Healthcare and Public Health",
	"WATR": "Water and Wastewater Systems", "ENTMT": "Commercial Facilities", "CORR": "Government Facilities", "MFG": "Critical Manufacturing",
}
