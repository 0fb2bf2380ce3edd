package report

import wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"

// classes are the record classes that a kind may be kept under, the usual one
// first. A class decides retention, so a report cannot choose a longer or a
// shorter life by naming the class of another kind.
var classes = [...][]wf.RecordClass{
	wf.Kind_KIND_SAR: {wf.RecordClass_RECORD_CLASS_SAR, wf.RecordClass_RECORD_CLASS_ISE_SAR, wf.RecordClass_RECORD_CLASS_TIP_OR_LEAD,
		wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE, wf.RecordClass_RECORD_CLASS_INTELLIGENCE},
	wf.Kind_KIND_THREAT: {wf.RecordClass_RECORD_CLASS_TIP_OR_LEAD, wf.RecordClass_RECORD_CLASS_INTELLIGENCE,
		wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE, wf.RecordClass_RECORD_CLASS_CYBER},
	wf.Kind_KIND_HAZARD: {wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT, wf.RecordClass_RECORD_CLASS_INCIDENT},
	wf.Kind_KIND_CYBER: {wf.RecordClass_RECORD_CLASS_CYBER, wf.RecordClass_RECORD_CLASS_INTELLIGENCE,
		wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE, wf.RecordClass_RECORD_CLASS_TIP_OR_LEAD, wf.RecordClass_RECORD_CLASS_INCIDENT},
	wf.Kind_KIND_INCIDENT: {wf.RecordClass_RECORD_CLASS_INCIDENT, wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT, wf.RecordClass_RECORD_CLASS_CYBER,
		wf.RecordClass_RECORD_CLASS_TIP_OR_LEAD, wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE, wf.RecordClass_RECORD_CLASS_INTELLIGENCE},
	wf.Kind_KIND_ASSET:    {wf.RecordClass_RECORD_CLASS_ASSET},
	wf.Kind_KIND_RESOURCE: {wf.RecordClass_RECORD_CLASS_INCIDENT, wf.RecordClass_RECORD_CLASS_ASSET},
	wf.Kind_KIND_BULLETIN: {wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT, wf.RecordClass_RECORD_CLASS_INTELLIGENCE, wf.RecordClass_RECORD_CLASS_TIP_OR_LEAD},
}

// ClassOf is the usual record class of a kind; unspecified for an unknown kind.
func ClassOf(k wf.Kind) wf.RecordClass {
	if k <= 0 || int(k) >= len(classes) {
		return wf.RecordClass_RECORD_CLASS_UNSPECIFIED
	}
	return classes[k][0]
}

// AllowsClass says whether a report of kind k may be kept under class rc.
func AllowsClass(k wf.Kind, rc wf.RecordClass) bool {
	if k <= 0 || int(k) >= len(classes) {
		return false
	}
	for _, c := range classes[k] {
		if c == rc {
			return true
		}
	}
	return false
}
