package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is set at link time for a release.
var Version = "development"

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version and what it was built with",
		Example: "  watchfloor version\n  watchfloor version -o json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": Version, "go": runtime.Version()}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, d := range info.Deps {
					switch d.Path {
					case "github.com/nats-io/nats-server/v2":
						v["nats_server"] = d.Version
					case "github.com/nats-io/nats.go":
						v["nats_client"] = d.Version
					}
				}
			}
			if a.output != "table" {
				return json.NewEncoder(a.out).Encode(v)
			}
			fmt.Fprintf(a.out, "watchfloor %s (%s, nats-server %s)\n", v["version"], v["go"], v["nats_server"])
			return nil
		},
	}
}
