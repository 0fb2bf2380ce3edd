package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// noArgs says which flag was meant rather than "unknown command".
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no argument, %q is one too many: see %s --help", c.CommandPath(), args[0], c.CommandPath())
	}
	return nil
}

// named wants at least one argument.
func named(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("name %s: see %s --help", what, c.CommandPath())
		}
		return nil
	}
}

// one wants exactly one argument.
func one(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("name %s, not %d arguments: see %s --help", what, len(args), c.CommandPath())
		}
		return nil
	}
}

// group is a command that only holds others: alone it shows its help, with a
// word it does not know it fails.
func group(c *cobra.Command) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		var have []string
		for _, sub := range c.Commands() {
			have = append(have, sub.Name())
		}
		return usage("unknown command %q for %q: use %s", args[0], c.CommandPath(), strings.Join(have, " or "))
	}
	return c
}
