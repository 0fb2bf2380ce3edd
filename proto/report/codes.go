package report

import "slices"

// Code lists of NIEM pmise_sar 5.0, sorted.
var (
	// TargetSectors are the NIEM target sector codes.
	TargetSectors = []string{"AGRI", "CHEM", "COMM", "CORR", "CSTL", "CULTR", "DAMS", "DFNSE", "EDU", "EMRG", "ENRG", "ENTMT", "FIN", "GVTBLDG",
		"HAZMAT", "HLTH", "IT", "LIVSTK", "MAIL", "MASS", "MFG", "MNMT", "NATRL", "NCLR", "OTHR", "POP", "PRSN", "RETL", "SPCFXN", "TACTCP",
		"TELCM", "TRANS", "UTL", "WATR"}
	// TipClasses are the NIEM tip class codes.
	TipClasses = []string{"BIO", "CHEM", "CNTFTG", "CTMN", "CYBER", "EXPL", "FRAUD", "FUND", "HATE", "INCEND", "INFRA", "LAUND", "NCLR", "SPCSA",
		"SPCSP", "SPCSSBST", "THRTPUB", "VRUS"}
	// TipDomains are the NIEM tip domain codes.
	TipDomains = []string{"A", "B", "C", "D", "E", "F", "G", "H"}
	// Sectors are the critical infrastructure sectors of PPD-21.
	Sectors = []string{"Chemical", "Commercial Facilities", "Communications", "Critical Manufacturing", "Dams", "Defense Industrial Base",
		"Emergency Services", "Energy", "Financial Services", "Food and Agriculture", "Government Facilities", "Healthcare and Public Health",
		"Information Technology", "Nuclear Reactors, Materials, and Waste", "Transportation Systems", "Water and Wastewater Systems"}
)

// Words of CAP 1.2, sorted.
var (
	capCategories = []string{"CBRNE", "Env", "Fire", "Geo", "Health", "Infra", "Met", "Other", "Rescue", "Safety", "Security", "Transport"}
	capResponses  = []string{"AllClear", "Assess", "Avoid", "Evacuate", "Execute", "Monitor", "None", "Prepare", "Shelter"}
	capScopes     = []string{"Private", "Public", "Restricted"}
)

// resourceKinds say what a typed resource is (NIMS).
var resourceKinds = []string{"aircraft", "equipment", "facility", "personnel", "supplies", "team", "vehicle"}

// listed says whether a sorted list holds s.
func listed(list []string, s string) bool {
	_, ok := slices.BinarySearch(list, s)
	return ok
}
