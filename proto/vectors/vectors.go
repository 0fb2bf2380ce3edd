// Package vectors is the published corpus of sample reports, with the verdict
// that every implementation of the contract must reach on each.
//
// A vector is a text file: directives as comments, then what it changes in its
// base as protobuf text. They are read once, from the binary itself.
//
//	# base: admitted/sar              start from another vector's report
//	# clear: report_time              unset fields of it, by path
//	# note: what it shows
//	# reason: missing report_time     a reason for refusal: code, then field path
//	report_time { seconds: 1 }        merged into the base
//
// See DESIGN.md for every directive. Folder admitted holds reports that must be
// admitted, refused those whose bytes or values no policy could admit, guard
// those that only a guard with the default policy can judge.
package vectors

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

//go:embed data
var files embed.FS

// Now is the time at which the verdicts hold; they hold at any later time too.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Verdict is what a guard must answer.
type Verdict string

// The verdicts.
const (
	Admitted   Verdict = "admitted"
	Duplicate  Verdict = "duplicate"
	Superseded Verdict = "superseded"
	Refused    Verdict = "refused"
)

// Stage says who can reach the verdict.
type Stage string

// The stages.
const (
	// Report: whoever has the bytes, with report.Decode and report.Validate.
	Report Stage = "report"
	// Guard: a guard that knows the policy and what it admitted before.
	Guard Stage = "guard"
)

// Reason is a reason that must be among those given.
type Reason struct {
	Code  admission.Code
	Field string
}

// Vector is one sample with its verdict.
type Vector struct {
	// Name is the path without its ending: "refused/polygon-open".
	Name string
	// Note says what the vector shows.
	Note string
	// Report is what Data encodes; after a directive that breaks the wire form,
	// what it encoded before.
	Report *wf.Report
	// Data is what is sent.
	Data []byte
	// Cell and Agency are whose credential sends it, by the default policy.
	Cell, Agency string
	// After names the vectors that the guard admitted before, in order.
	After   []string
	Stage   Stage
	Verdict Verdict
	Reasons []Reason
}

var load = sync.OnceValues(func() ([]Vector, error) {
	b := builder{done: map[string]*Vector{}}
	var all []Vector
	err := fs.WalkDir(files, "data", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".txtpb" {
			return err
		}
		v, err := b.vector(strings.TrimSuffix(strings.TrimPrefix(p, "data/"), ".txtpb"))
		if err != nil {
			return err
		}
		all = append(all, *v)
		return nil
	})
	return all, err
})

// All returns every vector, ordered by name. It panics when an embedded file
// is broken, which the package's test excludes.
func All() []Vector {
	all, err := load()
	if err != nil {
		panic(fmt.Sprintf("vectors: %v", err))
	}
	return slices.Clone(all)
}

// Of returns the vectors of a stage.
func Of(s Stage) []Vector {
	return slices.DeleteFunc(All(), func(v Vector) bool { return v.Stage != s })
}

// Named returns the vector of that name.
func Named(name string) (Vector, bool) {
	for _, v := range All() {
		if v.Name == name {
			return v, true
		}
	}
	return Vector{}, false
}
