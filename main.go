// Watchfloor is a message broker for fusion centers: agencies publish reports
// into cells partitioned by clearance, and each cell fuses what it may read
// into a live picture.
package main

import (
	"os"

	"github.com/watchfloor/watchfloor/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
