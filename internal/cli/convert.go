package cli

import (
	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/feed"
)

// reading files without a broker: the flags that convert and fuse share.
type conversion struct {
	maps                 []string
	policyFile, as, cell string
	extract              bool
}

func (v *conversion) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&v.maps, "map", nil, "mapping for CSV: a shipped one's name or a file; FILE=MAPPING for one file of several; may repeat (default: the shipped one whose columns fit)")
	c.Flags().StringVar(&v.policyFile, "policy", "", "policy file that says what markings mean (default: the shipped policy)")
	c.Flags().StringVar(&v.as, "as", "", "agency that converted reports are of (default: by format, from the policy)")
	extractFlag(c, &v.extract)
	c.Flags().StringVar(&v.cell, "cell", "", "with --as, cell whose label and markings apply (default: the agency's only one)")
}

func (v *conversion) files(a *app) (feed.Config, *policy.Policy, error) {
	p, err := loadPolicy(v.policyFile)
	if err != nil {
		return feed.Config{}, nil, err
	}
	chosen, err := mappings(v.maps)
	if err != nil {
		return feed.Config{}, nil, err
	}
	var all *ingest.Route
	if v.as == "" && v.cell != "" {
		return feed.Config{}, nil, usage("--cell needs --as: the agency whose reports they are")
	}
	if v.as != "" {
		r, err := submitRoute(p, v.as, v.cell)
		if err != nil {
			return feed.Config{}, nil, err
		}
		all = &r
	}
	c := fileReader(p, nil, all)
	c.Choose, c.Stdin, c.Extract = chosen.choose, a.in, v.extract
	return c, p, nil
}

// extractFlag is the flag that every command has which makes reports of files.
func extractFlag(c *cobra.Command, to *bool) {
	c.Flags().BoolVar(to, "extract", true, "add what titles and narratives say (names, numbers, vehicles, places) to the reports, marked as extracted")
}

// submitRoute is the agency's cell: the one named, or the only one it has.
func submitRoute(p *policy.Policy, agency, cell string) (ingest.Route, error) {
	g, ok := p.Agency(agency)
	if !ok {
		return ingest.Route{}, usage("unknown agency %q: \"watchfloor policy show\" lists them", agency)
	}
	if cell == "" {
		if len(g.Grants) != 1 {
			return ingest.Route{}, usage("%s submits to several cells: say which with --cell", agency)
		}
		return ingest.Route{Agency: agency, Cell: g.Grants[0].Cell}, nil
	}
	if _, ok := g.Grant(cell); !ok {
		return ingest.Route{}, usage("%s may not submit to cell %q: the policy allows %s", agency, cell, grantText(g))
	}
	return ingest.Route{Agency: agency, Cell: cell}, nil
}

func (a *app) convert() *cobra.Command {
	var v conversion
	c := &cobra.Command{
		Use:   "convert FILE...",
		Short: "Turn files of any known format into Report JSON lines",
		Long: `Reads CAP, EDXL-DE, Atom and RSS, api.weather.gov alerts, USGS earthquakes, STIX
2.1 bundles, CSV with a mapping, and Watchfloor's own protobuf and JSON; folders
are walked, "-" is standard input. What titles and narratives say is added, marked as extracted,
unless --extract=false. Each report is one line of JSON on standard output; what is
refused is told on standard error, and the exit code is then 1. A file that is
named and holds no known format is told too, with exit code 2; in a folder such
files are only skipped.`,
		Example: `  watchfloor convert alert.cap bundle.json > reports.jsonl
  watchfloor convert --map stl-police --as stl-pd crimes.csv
  watchfloor convert alerts/ | jq -r .title`,
		Args: named("at least one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, _, err := v.files(a)
			if err != nil {
				return err
			}
			refused, err := a.eachReport(cmd.Context(), files, args, func(_ feed.Source, item codec.Item) error { return jsonLine(a.out, item.Report) })
			if err != nil {
				return err
			}
			if refused > 0 {
				return failed("refused: %s", count(refused, "record"))
			}
			return nil
		},
	}
	v.flags(c)
	return c
}
