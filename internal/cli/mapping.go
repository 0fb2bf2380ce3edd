package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/producers/csv"
)

func (a *app) mapping() *cobra.Command {
	var draft string
	c := &cobra.Command{
		Use:   "mapping [NAME]",
		Short: "List the shipped CSV mappings, print one, or draft one for a table",
		Long: `A mapping says which column of a table becomes which field of a report. Without
a name the shipped ones are listed; with one it is printed, to start from. With
--draft FILE a mapping for that table is written, by the names of its columns: a
draft to read and correct, then to give to --map. What a path may hold is told
by the errors: a wrong name lists those there are.`,
		Example: `  watchfloor mapping
  watchfloor mapping febrl
  watchfloor mapping --draft people.csv > people.yaml
  watchfloor fuse --map people.yaml people.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case draft != "" && len(args) > 0:
				return usage("--draft %s and %s: use one of them", draft, args[0])
			case draft != "":
				return a.draftMapping(draft)
			case len(args) > 0:
				return a.printMapping(args[0])
			}
			return a.listMappings()
		},
	}
	c.Flags().StringVar(&draft, "draft", "", "table to draft a mapping for")
	return c
}

func (a *app) draftMapping(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return usage("--draft: %w", err)
	}
	text, err := csv.Draft(filepath.Base(file), data)
	if err != nil {
		return usage("--draft %s: %w", file, err)
	}
	_, err = a.out.Write(text)
	return err
}

func (a *app) printMapping(name string) error {
	if _, err := csv.Shipped(name); err != nil {
		return usage("%w", err)
	}
	text, err := csv.Source(name)
	if err != nil {
		return usage("%w", err)
	}
	_, err = a.out.Write(text)
	return err
}

func (a *app) listMappings() error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NAME\tTABLE")
	for _, name := range csv.Names() {
		m, err := csv.Shipped(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(tw, "%s\t%s\n", name, m.Title)
	}
	return tw.Flush()
}
