// Package corpus finds the reference data that tests of the codecs read. It is
// for tests alone: a test without the corpus fails and says what to do, it
// never skips.
package corpus

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
)

// Dir is the folder of the corpus, for a test of a package two folders below
// the root; must is a path in it that has to be there.
func Dir(t testing.TB, must string) string {
	t.Helper()
	dir := os.Getenv("WATCHFLOOR_CORPUS")
	if dir == "" && os.Getenv("CI") != "true" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(must))); dir == "" || err != nil {
		t.Fatalf("no corpus: set WATCHFLOOR_CORPUS to the folder that holds %s (looked in %q)", must, dir)
	}
	return dir
}

// Rows reads a CSV file without its header.
func Rows(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}
