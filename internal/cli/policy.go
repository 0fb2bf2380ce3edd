package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// loadPolicy reads a policy file; an empty path is the default policy.
func loadPolicy(path string) (*policy.Policy, error) {
	if path == "" {
		return policy.Default(), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("read policy: %w", err)
	}
	p, err := policy.Parse(data)
	if err != nil {
		return nil, failed("%s: %w", path, err)
	}
	return p, nil
}

// tight refuses a policy that would leak, with the path of every leak.
func tight(path string, p *policy.Policy) error {
	found, err := broker.Prove(p)
	if err == nil {
		err = found.Err()
	}
	if err != nil {
		return failed("%s: %w", path, err)
	}
	return nil
}

func (a *app) policy() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "policy",
		Short: "Check a policy file, show what a policy says, or prove that it keeps cells apart",
		Example: `  watchfloor policy show                   the default policy in tables
  watchfloor policy show --yaml > my.yaml  its file, to start your own from
  watchfloor policy check my.yaml
  watchfloor policy prove my.yaml          who can do what where, and that nobody reads above or across`,
	})
	c.AddCommand(a.policyCheck(), a.policyShow(), a.policyProve())
	return c
}

func (a *app) policyCheck() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Parse and check policy files strictly, and prove them; exit 1 with every problem found",
		Example: "  watchfloor policy check my.yaml",
		Args:    named("at least one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			var errs []error
			for _, f := range args {
				p, err := loadPolicy(f)
				if err == nil {
					err = tight(f, p)
				}
				if err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintf(a.out, "%s: good, version %s, %d cells, %d agencies, %d readers\n", f, p.Version, len(p.Cells), len(p.Agencies), len(p.Readers))
				a.tellCarriers(p)
			}
			return errors.Join(errs...)
		},
	}
}

// tellCarriers names the readers whom the policy clears for cells of which
// neither dominates the other. It is no leak, for the policy decides; but it is
// what an editor may not have meant.
func (a *app) tellCarriers(p *policy.Policy) {
	for _, r := range p.Readers {
		for i, one := range r.Cells {
			for _, other := range r.Cells[i+1:] {
				if !slices.Contains(p.Dominated(one), other) && !slices.Contains(p.Dominated(other), one) {
					fmt.Fprintf(a.out, "note: reader %s is cleared for %s and %s, of which neither dominates the other: whoever it is reads both, with a credential of each\n", r.Name, one, other)
				}
			}
		}
	}
}

func (a *app) policyShow() *cobra.Command {
	var asYAML bool
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the cells, agencies and readers of a policy (default: the shipped one)",
		Example: `  watchfloor policy show
  watchfloor policy show my.yaml -o json
  watchfloor policy show --yaml > my.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := strings.Join(args, "")
			if asYAML {
				if path != "" {
					return usage("--yaml writes the shipped policy: name no file")
				}
				_, err := a.out.Write(policy.DefaultYAML())
				return err
			}
			p, err := loadPolicy(path)
			if err != nil {
				return err
			}
			if a.output != "table" {
				return json.NewEncoder(a.out).Encode(policyView(p))
			}
			return a.policyTables(p)
		},
	}
	c.Flags().BoolVar(&asYAML, "yaml", false, "write the shipped policy file itself")
	return c
}

func (a *app) policyTables(p *policy.Policy) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "CELL\tLABEL\tREADS DOWN\tTITLE\n")
	for _, c := range p.Cells {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", c.Name, c.Label, strings.Join(p.Dominated(c.Name), " "), c.Title)
	}
	fmt.Fprintf(tw, "\nAGENCY\tTYPE\tCELL: KINDS\tEXPECTED\n")
	for _, g := range p.Agencies {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", g.Name, g.Type, grantText(g), brief(g.ExpectEvery))
	}
	fmt.Fprintf(tw, "\nREADER\tTYPE\tCLEARED FOR\tMAY FOLLOW\tPURPOSE\n")
	for _, r := range p.Readers {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Type, strings.Join(r.Cells, " "), strings.Join(p.Readable(r.Name), " "), r.Purpose)
	}
	fmt.Fprintf(tw, "\nversion %s\n", p.Version)
	return tw.Flush()
}

// brief is a duration without its zero parts: 24h, 1h30m.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func grantText(g policy.Agency) string {
	var out []string
	for _, grant := range g.Grants {
		var kinds []string
		for _, k := range grant.Kinds {
			kinds = append(kinds, subject.KindToken(k))
		}
		out = append(out, grant.Cell+": "+strings.Join(kinds, ","))
	}
	return strings.Join(out, "; ")
}

type cellView struct {
	Name      string   `json:"name"`
	Title     string   `json:"title"`
	Label     string   `json:"label"`
	ReadsDown []string `json:"reads_down"`
	Agencies  []string `json:"agencies"`
}

type readerView struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Cleared []string `json:"cleared"`
	Follows []string `json:"follows"`
	Purpose string   `json:"purpose"`
}

type policyDocument struct {
	Version string       `json:"version"`
	Cells   []cellView   `json:"cells"`
	Readers []readerView `json:"readers"`
}

func policyView(p *policy.Policy) policyDocument {
	d := policyDocument{Version: p.Version}
	for _, c := range p.Cells {
		d.Cells = append(d.Cells, cellView{c.Name, c.Title, c.Label.String(), p.Dominated(c.Name), p.AgenciesOf(c.Name)})
	}
	for _, r := range p.Readers {
		d.Readers = append(d.Readers, readerView{r.Name, string(r.Type), r.Cells, p.Readable(r.Name), r.Purpose})
	}
	return d
}
