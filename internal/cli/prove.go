package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/label"
)

func (a *app) policyProve() *cobra.Command {
	var file, who string
	var l live
	c := &cobra.Command{
		Use:   "prove [FILE]",
		Short: "Prove from the policy alone that no principal reaches a label its own does not dominate",
		Long: `Compiles the policy as the broker would, to accounts, credentials, streams and
consumers, works out for every principal everything that it can reach with what
it is permitted, and prints it as a matrix. A leak is printed with its path, from
the principal over the subject and the stream or consumer to the label, and the
exit code is 1. What is proved and what is assumed: broker/proof/DESIGN.md.

With --live it tries: every principal makes every request of JetStream on every
stream and consumer of every cell, listens and publishes wherever it has no
business, and tries to sign in to cells that are not its own; one line per
attempt. The running broker of --dir gets what it must refuse, in forms that do
nothing even if it does not, and what only looks. What is permitted and changes
something goes to a twin, a broker of the same policy in a temporary folder; so
does every refused call once more, with all rights, to show that it is not
misspelt. Where no broker runs the twin gets everything. The running broker counts
each refusal, some 175,000 with the shipped policy, and records them under the
user "trial": "watchfloor audit violations".`,
		Example: `  watchfloor policy prove                              the shipped policy
  watchfloor policy prove my.yaml
  watchfloor policy prove --principal reader/watch-le  every permission and what it reaches
  watchfloor policy prove -o json                      all of it
  watchfloor policy prove --live                       try every call, one line each
  watchfloor policy prove --live --brief               only what does not hold, and the sums
  watchfloor policy prove --live --sample 60 --seed 7  60 calls of each principal in each cell`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := policyPath(file, args)
			if err != nil {
				return err
			}
			if l.on {
				return a.proveLive(c.Context(), path, l)
			}
			p, err := loadPolicy(path)
			if err != nil {
				return err
			}
			return a.prove(p, who)
		},
	}
	l.flags(c)
	c.Flags().StringVar(&file, "policy", "", "policy file (default: the shipped policy)")
	c.Flags().StringVar(&who, "principal", "", "list every permission of this one, e.g. reader/watch-le, worker/fused, guard")
	c.MarkFlagsMutuallyExclusive("live", "principal")
	return c
}

func policyPath(flag string, args []string) (string, error) {
	if flag != "" && len(args) > 0 {
		return "", usage("name one policy file, not %s and %s", flag, args[0])
	}
	return flag + strings.Join(args, ""), nil
}

func (a *app) prove(p *policy.Policy, who string) error {
	found, err := broker.Prove(p)
	if err != nil {
		return failed("%w", err)
	}
	switch {
	case who != "":
		if found = only(found, who); len(found.Standings) == 0 {
			return usage("--principal %q: the policy has none; \"watchfloor policy prove\" lists them", who)
		}
		fallthrough
	case a.output != "table":
		err = a.proveDetail(p, found)
	default:
		err = a.proveMatrix(p, found)
	}
	if err == nil && found.Err() != nil {
		err = failed("%w", found.Err())
	}
	return err
}

// only keeps one principal, by its whole name or, where it is enough, a part.
func only(found *proof.Proof, who string) *proof.Proof {
	out := &proof.Proof{Cells: found.Cells, Leaks: found.Leaks}
	for _, s := range found.Standings {
		if s.Principal.String() == who || s.Principal.Name == who && s.Principal.Kind != proof.Worker {
			out.Standings = append(out.Standings, s)
		}
	}
	return out
}

func (a *app) proveMatrix(p *policy.Policy, found *proof.Proof) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "PRINCIPAL\t%s\n", strings.Join(found.Cells, "\t"))
	for _, r := range found.Matrix() {
		for i := range r.Can {
			if r.Can[i] == "" {
				r.Can[i] = "."
			}
		}
		fmt.Fprintf(tw, "%s\t%s\n", r.Principal, strings.Join(r.Can, "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	principals, credentials, permissions, effects := found.Count()
	_, err := fmt.Fprintf(a.out, "\n%s\n.         has no credential for the cell\n\npolicy %s: %d principals with %d credentials, %d permissions that reach %d things, %d leaks\n"+
		"%d of the credentials name the subject of their own cell on which the server answers them; what is stored is taken in where only its writers know\n",
		proof.Legend, p.Version, principals, credentials, permissions, effects, len(found.Leaks), found.Askers())
	a.tellCarriers(p)
	return err
}

type effectView struct {
	Verb     proof.Verb `json:"verb"`
	What     string     `json:"what"`
	Cell     string     `json:"cell"`
	Subjects string     `json:"subjects"`
	Labels   []string   `json:"labels,omitempty"`
	Why      string     `json:"why"`
}

type grantView struct {
	Action  string       `json:"action"`
	Subject string       `json:"subject"`
	Reaches []effectView `json:"reaches"`
}

// tokenView is what an HTTP token opens.
type tokenView struct {
	Purpose string   `json:"purpose"`
	Shows   []string `json:"shows"`
}

type standingView struct {
	Principal string      `json:"principal"`
	Cell      string      `json:"cell"`
	Can       string      `json:"can"`
	Tokens    []tokenView `json:"tokens,omitempty"`
	Grants    []grantView `json:"grants"`
}

type proofDocument struct {
	Version   string         `json:"version"`
	Cells     []string       `json:"cells"`
	Standings []standingView `json:"standings"`
	Leaks     []proof.Leak   `json:"leaks"`
}

func (a *app) proveDetail(p *policy.Policy, found *proof.Proof) error {
	d := proofDocument{Version: p.Version, Cells: found.Cells, Leaks: found.Leaks, Standings: []standingView{}}
	for _, s := range found.Standings {
		d.Standings = append(d.Standings, standingOf(s))
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(d)
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CELL\tMAY\tSUBJECT\tREACHES\tLABEL\tWHY")
	for _, s := range d.Standings {
		for _, h := range s.Tokens {
			fmt.Fprintf(tw, "%s\thttp\ta token for %s\tshows the picture\t%s\tcleared for the cell\n", s.Cell, h.Purpose, strings.Join(h.Shows, ", "))
		}
		for _, g := range s.Grants {
			for _, e := range g.Reaches {
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s %s\t%s\t%s\n", s.Cell, g.Action, g.Subject, e.Verb, e.What, strings.Join(e.Labels, ", "), e.Why)
			}
		}
	}
	return tw.Flush()
}

func standingOf(s proof.Standing) standingView {
	out := standingView{Principal: s.Principal.String(), Cell: s.Cell, Can: s.Summary(), Grants: []grantView{}}
	for _, h := range s.HTTP {
		out.Tokens = append(out.Tokens, tokenView{h.Purpose, labelWords(h.Shows)})
	}
	for _, g := range s.Grants {
		v := grantView{Action: "publish", Subject: proof.Masked(g.Subject), Reaches: []effectView{}}
		if g.Subscribe {
			v.Action = "subscribe"
		}
		for _, e := range g.Effects {
			v.Reaches = append(v.Reaches, effectView{Verb: e.Verb, What: e.What, Cell: e.Cell, Subjects: proof.Masked(e.Subjects), Labels: labelWords(e.Labels), Why: e.Why})
		}
		out.Grants = append(out.Grants, v)
	}
	return out
}

func labelWords(in []label.Label) []string {
	var out []string
	for _, l := range in {
		out = append(out, l.String())
	}
	return out
}
