package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (a *app) explain() *cobra.Command {
	var r reading
	c := &cobra.Command{
		Use:   "explain --cell C ID",
		Short: "Say why the reports of a situation belong together, in lines to be read aloud",
		Long: `Says why the reports of a situation belong together: every link of its tree
from the strongest to the weakest, what speaks against, what it would fall apart
into, what was ignored, and which situations of the picture name the same
things. Pairs just below the threshold are known only to who has the reports:
"watchfloor fuse --explain" lists them.

` + pastHelp,
		Example: `  watchfloor explain --cell fused 3f2a     (the first digits are enough)
  watchfloor explain --cell fused --as-of -2h 3f2a
  watchfloor explain --cell le 3f2a9c -o json`,
		Args: one("the id of a situation, or its first digits"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.load(cmd.Context(), r)
			if err != nil {
				return err
			}
			x, err := pick(s, args[0])
			if err != nil {
				return err
			}
			lines := append(fusion.Read(x), fusion.Neighbours(x, s.GetSituations())...)
			if a.output == "table" {
				asOfLine(a.out, s)
				fmt.Fprintln(a.out, strings.Join(lines, "\n"))
				return nil
			}
			b, err := compactJSON(x)
			if err != nil {
				return err
			}
			return json.NewEncoder(a.out).Encode(map[string]any{"situation": b, "explanation": lines})
		},
	}
	r.flags(c)
	return c
}

// pick finds the one situation whose id starts with prefix.
func pick(s *wf.Snapshot, prefix string) (*wf.Situation, error) {
	var found *wf.Situation
	for _, x := range s.GetSituations() {
		if !strings.HasPrefix(x.GetId(), prefix) && !hasPart(x, prefix) {
			continue
		}
		if found != nil {
			return nil, failed("%q is the start of several ids, %s and %s among them: give more digits", prefix, found.GetId(), x.GetId())
		}
		found = x
	}
	if found == nil && s.GetAsOf() != nil {
		return nil, failed("no situation %q in the picture of %s as of %s: ids change when an older report joins; list them with snapshot --as-of", prefix, s.GetCell(), s.GetAsOf().GetTime().AsTime().UTC().Format(time.RFC3339Nano))
	}
	if found == nil {
		return nil, failed("no situation %q in the picture of %s at revision %d: ids change when an older report joins; list them with snapshot", prefix, s.GetCell(), s.GetRevision())
	}
	return found, nil
}

// hasPart says whether a part of a mass situation has an id that begins so.
func hasPart(x *wf.Situation, prefix string) bool {
	return slices.ContainsFunc(x.GetParts(), func(p *wf.Part) bool { return strings.HasPrefix(p.GetId(), prefix) })
}

// explainPile reads out situations of what was read, near misses included.
func (a *app) explainPile(p pile, config fusion.Config, at time.Time, prefix string) error {
	all := fusion.Explain(p.inputs, config, at, prefix)
	if len(all) == 0 {
		if prefix == "" {
			return failed("no situation has two reports or more: --explain with the first digits of an id reads out one of a single report")
		}
		return failed("no situation has an id that begins with %q: fuse without --explain prints them", prefix)
	}
	for i, x := range all {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "Situation %s\n%s\n", x.Situation.GetId(), strings.Join(x.Lines, "\n"))
	}
	return nil
}
