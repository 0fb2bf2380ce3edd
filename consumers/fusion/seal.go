package fusion

import (
	"strings"
	"unsafe"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// seal gives the strings of a situation memory of their own: until then they
// lie in the arena, where another report may take their place.
func seal(s *wf.Situation) *wf.Situation {
	size := 0
	eachString(s, func(v *string) { size += len(*v) })
	all := make([]byte, 0, size)
	eachString(s, func(v *string) {
		at := len(all)
		all = append(all, *v...)
		*v = unsafe.String(unsafe.SliceData(all[at:]), len(*v))
	})
	return s
}

// eachString visits what build copied from a report.
func eachString(s *wf.Situation, f func(*string)) {
	for _, m := range s.Members {
		f(&m.Record)
	}
	for _, m := range s.Mentions {
		f(&m.Value)
	}
	for _, i := range s.Ignored {
		f(&i.Value)
	}
	for _, l := range s.Links {
		sealEvidence(l.Evidence, f)
	}
}

func sealEvidence(list []*wf.Evidence, f func(*string)) {
	for _, v := range list {
		if v.Value != "" {
			f(&v.Value)
		}
	}
}

func cloneIt(v *string) { *v = strings.Clone(*v) }
