// Package cli is the command line of Watchfloor: one file per command. A
// command reads flags, calls a part and prints; it decides nothing itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Exit codes, the same for every command.
const (
	exitOK = 0
	// A check did not pass: a scorecard, a policy, a refused report.
	exitFailed = 1
	// The command line or an input file is wrong.
	exitUsage = 2
	// The broker cannot be reached, did not answer or cannot start.
	exitUnreachable = 3
)

const exitHelp = `

Exit codes:
  0  done
  1  a check did not pass: scorecard, policy, refused or unacknowledged reports
  2  wrong use: unknown flag or value, input that cannot be read
  3  the broker cannot be reached, did not answer in time or cannot start`

// exitError carries the exit code of an error.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func failed(format string, args ...any) error {
	return &exitError{exitFailed, fmt.Errorf(format, args...)}
}

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func unreachable(format string, args ...any) error {
	return &exitError{exitUnreachable, fmt.Errorf(format, args...)}
}

// app is what every command shares.
type app struct {
	in       io.Reader
	out, err io.Writer
	// name as the user calls the program, for hints.
	name    string
	dir     string
	output  string
	verbose bool
}

// Main runs the command line and returns its exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first Ctrl-C ends the work in order, a second one at once.
	defer context.AfterFunc(ctx, stop)()
	a := &app{name: os.Args[0], in: in, out: out, err: errOut}
	return a.execute(ctx, args)
}

// execute runs one command line until it is done or ctx ends.
func (a *app) execute(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(a.err, "watchfloor:", err)
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitUsage
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "watchfloor",
		Short: "A message broker for fusion centers",
		Long: `Watchfloor takes reports from agencies into cells partitioned by clearance,
fuses in each cell what it may read, and shows the live picture of each cell in
a terminal, over HTTP and on a page.

Start with "watchfloor demo": everything in one process, with an exercise.` + exitHelp + `
  4  of doctor: nothing failed, but something will not stay well`,
		Example: `  watchfloor demo                              the exercise live, in the browser
  watchfloor demo --once                       replay it and print the scorecard
  watchfloor up                                a broker for real traffic
  watchfloor publish --as jackson-pd sar.json  send reports to a running broker
  watchfloor watch --cell le                   follow a picture in the terminal`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			forms := []string{"table", "json", "jsonl"}
			switch c.Name() {
			case "snapshot":
				forms = append(forms, "geojson")
			case "fuse":
				forms = append(forms, "clusters")
			}
			if !slices.Contains(forms, a.output) {
				return usage("--output %q: use %s", a.output, strings.Join(forms, ", "))
			}
			return nil
		},
	}
	c.SetIn(a.in)
	c.SetOut(a.out)
	c.SetErr(a.err)
	c.CompletionOptions.HiddenDefaultCmd = true
	c.PersistentFlags().StringVar(&a.dir, "dir", defaultDir(), "folder of data, keys, credentials and addresses of a local broker, or WATCHFLOOR_DIR")
	c.PersistentFlags().StringVarP(&a.output, "output", "o", "table", "table, json or jsonl; snapshot also geojson, fuse also clusters")
	c.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log what the parts do")
	c.AddCommand(
		a.up(), a.worker(), a.demo(), a.publish(), a.convert(), a.watch(), a.snapshot(), a.explain(),
		a.fuse(), a.mapping(), a.policy(), a.creds(), a.audit(), a.certs(), a.key(), a.backup(), a.restore(), a.doctor(), a.bench(), a.quality(), a.version(),
	)
	return c
}

func defaultDir() string {
	if d := os.Getenv("WATCHFLOOR_DIR"); d != "" {
		return d
	}
	return ".watchfloor"
}

func (a *app) dataDir() string { return filepath.Join(a.dir, "data") }
func (a *app) keysDir() string { return filepath.Join(a.dir, "keys") }

// logger writes warnings, with -v everything from info up, to standard error.
func (a *app) logger() *zap.Logger {
	level := zapcore.WarnLevel
	if a.verbose {
		level = zapcore.InfoLevel
	}
	enc := zap.NewDevelopmentEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(enc), zapcore.AddSync(a.err), level))
}
