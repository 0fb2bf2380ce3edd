// Watchfloor is a message broker for fusion centers: agencies publish reports
// into cells partitioned by clearance, and each cell fuses what it may read
// into a live picture.
package main

import (
	"os"
	"runtime/debug"

	"github.com/watchfloor/watchfloor/internal/cli"
)

// gcPercent lets the heap grow to three times what is live before it is
// collected: measured, a tenth more reports a second through all six cells for
// memory that an idle broker does not use. GOGC in the environment wins.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
