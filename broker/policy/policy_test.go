package policy

import (
	"testing"
)

func TestDefault(t *testing.T) {
	p, err := Parse(DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(p.Cells), 6; got != want {
		t.Errorf("got %d cells, want %d", got, want)
	}
	if got, want := len(p.Agencies), 47; got != want {
		t.Errorf("got %d agencies, want %d", got, want)
	}
}
