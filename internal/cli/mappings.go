package cli

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/watchfloor/watchfloor/producers/csv"
)

// mappingChoice is which mapping reads which CSV file.
type mappingChoice struct {
	// files are those that a file is named for, by path or base name.
	files map[string]*csv.Mapping
	// any are the rest: the only one, or the one whose columns fit.
	any []*csv.Mapping
}

// mappings reads the values of --map: MAPPING, or FILE=MAPPING.
func mappings(values []string) (mappingChoice, error) {
	c := mappingChoice{files: map[string]*csv.Mapping{}}
	for _, v := range values {
		file, name, named := strings.Cut(v, "=")
		if !named {
			name = v
		}
		m, err := readMapping(name)
		switch {
		case err != nil:
			return c, err
		case m == nil:
			return c, usage("--map %q: use MAPPING or FILE=MAPPING", v)
		case !named:
			c.any = append(c.any, m)
		case c.files[filepath.ToSlash(file)] != nil:
			return c, usage("--map %q: %s has a mapping already", v, file)
		default:
			c.files[filepath.ToSlash(file)] = m
		}
	}
	return c, nil
}

// choose is the mapping of one file: the one named for it; the only one; the
// one whose columns fit, of the named ones or else of the shipped ones.
func (c mappingChoice) choose(name string, data []byte) (*csv.Mapping, error) {
	if m := c.files[name]; m != nil {
		return m, nil
	}
	if m := c.files[path.Base(name)]; m != nil {
		return m, nil
	}
	if len(c.any) == 1 {
		return c.any[0], nil
	}
	if len(c.any) == 0 {
		if m, ok := csv.Of(data); ok {
			return m, nil
		}
		return nil, errors.New("a table whose columns are those of no shipped mapping, or of several, and none is called text, narrative or the like: say --map MAPPING (\"watchfloor mapping --draft FILE\" writes one to start from)")
	}
	var fit []*csv.Mapping
	for _, m := range c.any {
		if m.Fits(data) {
			fit = append(fit, m)
		}
	}
	if len(fit) != 1 {
		return nil, fmt.Errorf("a table whose columns are those of %d of the %d mappings: say --map %s=MAPPING", len(fit), len(c.any), name)
	}
	return fit[0], nil
}
