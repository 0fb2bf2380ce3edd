package vectors_test

import (
	"testing"

	"github.com/watchfloor/watchfloor/proto/vectors"
)

func TestEveryVectorIsComplete(t *testing.T) {
	all := vectors.All()
	if len(all) < 100 {
		t.Fatalf("got %d vectors, want the whole corpus", len(all))
	}
	byName := map[string]vectors.Vector{}
	for _, v := range all {
		byName[v.Name] = v
	}
	for _, v := range all {
		for _, name := range v.After {
			if before, ok := byName[name]; !ok || before.Verdict != vectors.Admitted || before.Cell != v.Cell {
				t.Errorf("%s: comes after %q, which is no admitted vector of its cell", v.Name, name)
			}
		}
		if v.Stage == vectors.Report && v.Agency != v.Report.GetAgency() {
			t.Errorf("%s: stage report cannot depend on the credential", v.Name)
		}
	}
}

func TestNamedFindsAVector(t *testing.T) {
	if v, ok := vectors.Named("admitted/sar"); !ok || v.Verdict != vectors.Admitted || len(v.Data) == 0 {
		t.Errorf("got %v, %v", v.Name, ok)
	}
	if _, ok := vectors.Named("admitted/nothing"); ok {
		t.Error("found a vector that is not there")
	}
}
