package admitbench

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestFigures(t *testing.T) {
	out, err := Admission(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out {
		j, _ := json.Marshal(f)
		fmt.Println(string(j))
	}
}
