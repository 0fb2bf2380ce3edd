package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/watchfloor/watchfloor"

// arrows says which of our modules each module may import. Only the root
// imports broker.
var arrows = map[string][]string{
	"proto":     {"proto"},
	"producers": {"proto", "producers"},
	"consumers": {"proto", "producers", "consumers"},
	"broker":    {"proto", "broker"},
	".":         {"proto", "producers", "consumers", "broker", "."},
}

// budget is every package path outside the standard library that the code of
// a module (tests apart) may import: whoever imports an SDK gets these and
// what they bring, and never a server.
var budget = map[string][]string{
	"proto":     {"google.golang.org/protobuf"},
	"producers": {"google.golang.org/protobuf", "github.com/nats-io/nats.go", "github.com/google/uuid", "github.com/goccy/go-yaml", "github.com/nyaruka/phonenumbers", "golang.org/x/net", "golang.org/x/text"},
	"consumers": {"google.golang.org/protobuf", "github.com/nats-io/nats.go", "github.com/google/uuid", "github.com/prometheus/client_golang", "github.com/zeebo/xxh3", "go.uber.org/zap", "golang.org/x/net", "golang.org/x/sync", "golang.org/x/text"},
}

// pure packages have no clock, goroutine, context, randomness or I/O: time
// comes in as a value.
var pure = []string{
	"proto/label", "proto/subject", "proto/report", "proto/admission",
	"producers/codec", "producers/normal", "producers/cap", "producers/nws", "producers/quake", "producers/stix", "producers/csv",
	"producers/native", "producers/exercise", "producers/narrative",
	"consumers/fusion",
	"broker/policy", "broker/guard", "broker/proof",
}

// impure are imports that a pure package must not have.
var impure = []string{"context", "os", "net", "net/http", "io/fs", "os/exec", "os/signal", "math/rand", "math/rand/v2", "crypto/rand", "sync", "log", "runtime", "syscall", "github.com/nats-io/nats.go"}

// impureCalls are functions of allowed packages that a pure package must not call.
var impureCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7", "Must"},
}

type source struct {
	dir  string // relative to the root, slash-separated
	file *ast.File
	name string
	test bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); p != "." && (strings.HasPrefix(n, ".") || n == "node_modules" || n == "dist" || n == "bin" || n == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{dir: filepath.ToSlash(filepath.Dir(p)), file: f, name: p, test: strings.HasSuffix(p, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatalf("read sources: %v", err)
	}
	if len(out) < 50 {
		t.Fatalf("read %d sources: the walk no longer sees the tree", len(out))
	}
	return out
}

func moduleOf(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	if _, ok := arrows[top]; ok {
		return top
	}
	return "."
}

func imports(f *ast.File) []string {
	var out []string
	for _, s := range f.Imports {
		p, err := strconv.Unquote(s.Path.Value)
		if err == nil {
			out = append(out, p)
		}
	}
	return out
}

func TestArrows(t *testing.T) {
	for _, s := range sources(t) {
		from := moduleOf(s.dir)
		for _, imp := range imports(s.file) {
			rest, ours := strings.CutPrefix(imp, modulePath)
			if !ours {
				continue
			}
			to := moduleOf(path.Clean("./" + strings.TrimPrefix(rest, "/")))
			if !slices.Contains(arrows[from], to) {
				t.Errorf("%s: %s must not import %s (%s)", s.name, from, to, imp)
			}
		}
	}
}

func TestDependencyBudget(t *testing.T) {
	for _, s := range sources(t) {
		allowed, limited := budget[moduleOf(s.dir)]
		if !limited || s.test {
			continue
		}
		for _, imp := range imports(s.file) {
			first, _, _ := strings.Cut(imp, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(imp, modulePath) {
				continue
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return imp == a || strings.HasPrefix(imp, a+"/") }) {
				t.Errorf("%s: %s is outside the budget of module %s", s.name, imp, moduleOf(s.dir))
			}
		}
	}
}

// The product serves no file system: go-fuse is for the simulated disk, and the
// simulated disk for tests.
func TestOnlyTestsUseTheSimulatedDisk(t *testing.T) {
	const diskDir, harness, fuse = "internal/disk", "internal/durability", "github.com/hanwen/go-fuse/"
	for _, s := range sources(t) {
		for _, imp := range imports(s.file) {
			if strings.HasPrefix(imp, fuse) && s.dir != diskDir {
				t.Errorf("%s imports %s: only %s does", s.name, imp, diskDir)
			}
			if (imp == modulePath+"/"+diskDir || imp == modulePath+"/"+harness) && !s.test && s.dir != harness {
				t.Errorf("%s imports %s, which is for tests", s.name, imp)
			}
		}
	}
}

// An agency that imports producers never pulls in the server, not even as a
// line of go.mod.
func TestSDKsDoNotRequireTheServer(t *testing.T) {
	for m := range budget {
		data, err := os.ReadFile(filepath.Join(m, "go.mod"))
		if err != nil {
			t.Fatalf("read go.mod of %s: %v", m, err)
		}
		if strings.Contains(string(data), "nats-server") {
			t.Errorf("%s/go.mod requires nats-server", m)
		}
	}
}

func TestPurePackages(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || !slices.Contains(pure, s.dir) {
			continue
		}
		seen[s.dir] = true
		for _, imp := range imports(s.file) {
			if slices.Contains(impure, imp) {
				t.Errorf("%s imports %s: %s is pure", s.name, imp, s.dir)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine: %s is pure", s.name, s.dir)
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
					if id, ok := sel.X.(*ast.Ident); ok && slices.Contains(impureCalls[id.Name], sel.Sel.Name) {
						t.Errorf("%s calls %s.%s: %s is pure", s.name, id.Name, sel.Sel.Name, s.dir)
					}
				}
			}
			return true
		})
	}
	if got, want := slices.Sorted(maps.Keys(seen)), slices.Sorted(slices.Values(pure)); !slices.Equal(got, want) {
		t.Errorf("pure packages found %v, want %v", got, want)
	}
}

// subjectRoots are the first tokens of the subject grammar: only package
// subject writes them, and package brokertest, which tries the wrong ones.
var subjectRoots = []string{"submit.", "report.", "orcon.", "refusal.", "snapshot.", "live.", "inlet."}

func TestOnlyPackageSubjectWritesSubjects(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.dir == "proto/subject" || s.dir == "broker/brokertest" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			v, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			for _, r := range subjectRoots {
				if strings.HasPrefix(v, r) && (len(v) == len(r) || strings.ContainsAny(v[len(r):], "*>%.")) && !strings.Contains(v, " ") {
					t.Errorf("%s writes subject %q: use package subject", s.name, v)
				}
			}
			return true
		})
	}
}
