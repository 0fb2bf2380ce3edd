package policy

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of the file itself, so that a hostile one costs bounded work.
const (
	maxFile   = 512 << 10
	maxItems  = 10_000 // lines and commas: the library's work grows with the square of keys
	maxDepth  = 16
	maxIndent = 64
	maxKeys   = 512 // of one mapping
)

// FormatVersion is the version of the file format this build reads.
const FormatVersion = 1

//go:embed default.yaml
var defaultYAML []byte

// Default is the policy that ships with Watchfloor. It panics if the embedded
// file is broken, which the tests of this package exclude.
func Default() *Policy {
	p, err := Parse(defaultYAML)
	if err != nil {
		panic("embedded policy: " + err.Error())
	}
	return p
}

// DefaultYAML is the text of the default policy, to start one's own from.
func DefaultYAML() []byte { return bytes.Clone(defaultYAML) }

// Problem is one thing that is wrong with a policy file.
type Problem struct {
	// Line counts from 1; zero when no line is to blame.
	Line int
	// Path in the file: "$.cells[2].label.level".
	Path string
	// Message says what is wrong and what to do.
	Message string
}

// String is the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Message
}

// Error is every problem of a refused policy file.
type Error struct{ Problems []Problem }

// Error lists the problems, one per line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return "policy refused: " + strings.Join(lines, "\n")
}

// Parse reads a policy. The error is an [*Error] with every problem found.
func Parse(data []byte) (*Policy, error) {
	f, where, problem := decode(data)
	if problem != nil {
		return nil, &Error{Problems: []Problem{*problem}}
	}
	c := &checker{where: where}
	p := c.policy(f)
	if len(c.problems) > 0 {
		return nil, &Error{Problems: c.problems}
	}
	p.Version = hash(f)
	return p, nil
}

// hash is the version of the canonical file. The checker has sorted it.
func hash(f *file) string {
	b, err := json.Marshal(f)
	if err != nil {
		panic("policy file is always encodable: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// decode reads the syntax. The YAML library is kept behind size and depth
// limits, and a panic of it is a refusal, not a crash.
func decode(data []byte) (f *file, where lines, problem *Problem) {
	if problem := bounded(data); problem != nil {
		return nil, nil, problem
	}
	defer func() {
		if r := recover(); r != nil {
			f, where, problem = nil, nil, &Problem{Message: "is not readable YAML"}
		}
	}()
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, nil, syntax(err, nil)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, nil, &Problem{Message: "must hold exactly one YAML document"}
	}
	body := tree.Docs[0].Body
	index := &indexer{lines: lines{}, paths: map[token.Position]string{}}
	ast.Walk(index, body)
	if index.problem != nil {
		return nil, nil, index.problem
	}
	f = &file{}
	if err := yaml.NodeToValue(body, f, yaml.Strict()); err != nil {
		return nil, nil, syntax(err, index)
	}
	return f, index.lines, nil
}

// bounded refuses what no policy needs and a parser may suffer from.
func bounded(data []byte) *Problem {
	if len(data) > maxFile {
		return &Problem{Message: fmt.Sprintf("is %d bytes; at most %d are read", len(data), maxFile)}
	}
	if n := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte(",")); n > maxItems {
		return &Problem{Message: fmt.Sprintf("has %d lines and commas; at most %d are read", n, maxItems)}
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		depth, deepest := 0, 0
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
				deepest = max(deepest, depth)
			case ']', '}':
				depth--
			case 0:
				return &Problem{Line: i + 1, Message: "holds a zero byte"}
			}
		}
		text := bytes.TrimLeft(line, " \t-?:")
		if indent := len(line) - len(text); len(text) > 0 && text[0] != '#' && indent > maxIndent || deepest > maxDepth {
			return &Problem{Line: i + 1, Message: "is nested too deeply"}
		}
	}
	return openBrackets(data)
}

// openBrackets refuses flow collections nested over several lines.
func openBrackets(data []byte) *Problem {
	depth := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		if depth > maxDepth {
			return &Problem{Message: "is nested too deeply"}
		}
	}
	return nil
}

// lines maps a path to its line.
type lines map[string]int

// of is the line of the path, or of the nearest parent that was written.
func (l lines) of(path string) int {
	for path != "" {
		if n, ok := l[path]; ok {
			return n
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
	return 0
}

// indexer notes where everything stands, and refuses anchors and aliases: a
// policy says what it means in place.
type indexer struct {
	lines   lines
	paths   map[token.Position]string
	problem *Problem
}

func (x *indexer) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		x.problem = &Problem{Line: n.GetToken().Position.Line, Path: n.GetPath(), Message: "uses an anchor, alias, merge or tag; write the value in place"}
		return nil
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > maxKeys {
		x.problem = &Problem{Line: m.GetToken().Position.Line, Path: m.GetPath(), Message: fmt.Sprintf("has %d keys; at most %d are read", len(m.Values), maxKeys)}
		return nil
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		if v, ok := n.(*ast.MappingValueNode); ok {
			t = v.Key.GetToken()
		}
		if line, ok := x.lines[n.GetPath()]; !ok || t.Position.Line < line {
			x.lines[n.GetPath()] = t.Position.Line
		}
		x.paths[place(t)] = n.GetPath()
	}
	return x
}

func place(t *token.Token) token.Position {
	return token.Position{Line: t.Position.Line, Column: t.Position.Column}
}

// syntax turns the library's error into a problem with line and path.
func syntax(err error, index *indexer) *Problem {
	var located yaml.Error
	if !errors.As(err, &located) {
		return &Problem{Message: err.Error()}
	}
	// Not located.Error: it prints the source around the place, which takes
	// minutes in a long hostile file.
	p := &Problem{Message: located.GetMessage()}
	if t := located.GetToken(); t != nil && t.Position != nil {
		p.Line = t.Position.Line
		if index != nil {
			p.Path = index.paths[place(t)]
		}
	}
	if strings.HasPrefix(p.Message, "unknown field") {
		p.Message = strings.Replace(p.Message, "unknown field", "unknown key", 1) + "; remove it or correct its spelling"
	}
	return p
}
