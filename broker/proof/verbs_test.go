package proof

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// serverCalls are the requests that the pinned server knows, read from its source.
func serverCalls(t *testing.T) map[string]string {
	t.Helper()
	dir, err := build.Import("github.com/nats-io/nats-server/v2/server", ".", build.FindOnly)
	if err != nil {
		t.Fatalf("find the server's source: %v", err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir.Dir, "jetstream_api.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if s, err := strconv.Unquote(lit.Value); err == nil && strings.HasPrefix(s, apiRoot) && s != apiRoot+">" {
			out[v.Names[0].Name] = strings.ReplaceAll(s, "%s", "*")
		}
		return true
	})
	return out
}

// Every request that the server answers is one that the proof knows, and the
// other way round.
func TestCallsAreThoseOfTheServer(t *testing.T) {
	theirs := serverCalls(t)
	if len(theirs) < 60 {
		t.Fatalf("found %d constants in the server's source, want at least 60: it is written otherwise now", len(theirs))
	}
	seen := map[int]bool{}
	for name, s := range theirs {
		p, ok := parse(s)
		if !ok {
			continue // a prefix
		}
		known := false
		for i, c := range calls {
			if within(p, c.subject) {
				known = true
			}
			if within(p, c.subject) && (within(c.subject, p) || c.tail > 0 || c.name == "CONSUMER.CREATE") {
				seen[i] = true
			}
		}
		if !known && p.String() != "$JS.API.DIRECT.GET" {
			t.Errorf("the proof does not know %s, %s", name, s)
		}
	}
	for i, c := range calls {
		if !seen[i] {
			t.Errorf("the server does not know %s, %s", c.name, c.subject)
		}
	}
}
