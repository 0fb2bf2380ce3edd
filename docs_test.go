package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testNamed  = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)`")
	testSource = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)\(`)
	makeNamed  = regexp.MustCompile("(?m)(?:`|^)make ([a-z-]+)")
	makeTarget = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// Every test and make target that a document names as the proof of something
// is there: a claim whose proof was renamed away is no longer shown.
func TestDocumentsNameWhatExists(t *testing.T) {
	tests, targets := map[string]bool{}, map[string]bool{}
	var documents []string
	files(t, func(path string) {
		switch {
		case strings.HasSuffix(path, "_test.go"):
			note(t, path, testSource, tests)
		case filepath.Base(path) == "Makefile":
			note(t, path, makeTarget, targets)
		case filepath.Ext(path) == ".md":
			documents = append(documents, path)
		}
	})
	named := 0
	for _, path := range documents {
		for kind, have := range map[*regexp.Regexp]map[string]bool{testNamed: tests, makeNamed: targets} {
			in := map[string]bool{}
			note(t, path, kind, in)
			for name := range in {
				if named++; !have[name] {
					t.Errorf("%s names %s, which is not there", path, name)
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("%d names in %d documents: this test reads nothing", named, len(documents))
	}
}

// files calls fn with the path of every file of the project.
func files(t *testing.T, fn func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "bin"):
			return filepath.SkipDir
		case !d.IsDir():
			fn(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// note adds what the first group of re finds in a file.
func note(t *testing.T, path string, re *regexp.Regexp, into map[string]bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range re.FindAllStringSubmatch(string(data), -1) {
		into[m[1]] = true
	}
}
