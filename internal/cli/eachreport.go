package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/feed"
)

// eachReport calls do with every report of the files, tells on standard error
// what is refused or skipped, and counts the refused. It stops when ctx ends. A
// named file of no known format is an error, after the others have been read.
func (a *app) eachReport(ctx context.Context, files feed.Config, paths []string, do func(feed.Source, codec.Item) error) (refused int, err error) {
	sources, skipped := 0, 0
	for src, err := range files.Files(paths...) {
		if err != nil {
			return refused, usage("%w", err)
		}
		sources++
		if src.Skip != "" {
			fmt.Fprintf(a.err, "%s: skipped: %s\n", sourceName(src.Name), src.Skip)
			skipped += unreadable(src.Name, src.Skip, paths)
		}
		for _, item := range src.Items {
			if ctx.Err() != nil {
				return refused, failed("interrupted")
			}
			if item.Refused() {
				refused++
				fmt.Fprintf(a.err, "%s %s: refused: %s\n", sourceName(src.Name), item.Where, item.Reasons)
				continue
			}
			if err := do(src, item); err != nil {
				return refused, err
			}
		}
	}
	if sources == 0 {
		return refused, nothingRead(paths)
	}
	return refused, unread(skipped)
}

// unreadable is 1 for a file that the user named and that was skipped. What a
// folder holds besides reports is no error; neither is empty standard input.
func unreadable(name, skip string, paths []string) int {
	if skip == "" || name == "-" || !slices.ContainsFunc(paths, func(p string) bool { return filepath.ToSlash(p) == name }) {
		return 0
	}
	return 1
}

func unread(skipped int) error {
	if skipped == 0 {
		return nil
	}
	return usage("not read: %s of no known format; \"watchfloor convert --help\" lists the formats", count(skipped, "named file"))
}

func nothingRead(paths []string) error {
	return usage("nothing to read: no file in %s", strings.Join(paths, ", "))
}

func sourceName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// count is "1 record", "2 records".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
