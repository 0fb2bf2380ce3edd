package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/console"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
)

func (a *app) up() *cobra.Command {
	var policyFile string
	var port, http int
	var without bool
	var reserve string
	var o outside
	c := &cobra.Command{
		Use:   "up",
		Short: "Run a broker for real traffic: guards, fusion and pages of every cell in one process",
		Long: `Starts the broker on loopback, with data, keys and credentials under --dir.
Other machines reach it where --listen and --http-listen say, over TLS alone;
agencies among them need a certificate as well as their credentials. Renewed
certificates are taken without a restart, within ten seconds or on a SIGHUP.

Keys lie outside the data folder; keep a copy of them apart from the machine:
without them what is stored cannot be read.

A second process, "watchfloor worker", stands by for the fusion workers of this
one and takes over when they are gone.

When the disk is nearly full, senders are told to try again later; when it
failed, the store is opened again by itself once the disk takes writes. Both are
said in the log.

A changed policy file is taken without a restart: send the process a SIGHUP.
Ctrl-C or SIGTERM ends it cleanly.` + exitHelp,
		Example: `  watchfloor up
  watchfloor up --policy my.yaml --dir /var/lib/watchfloor
  watchfloor up --listen 0.0.0.0:4443 --http-listen 0.0.0.0:8443 --tls-cert server.pem --tls-key server.key --tls-client-ca ca.pem
  kill -HUP $(jq .pid /var/lib/watchfloor/run.json)    take the changed policy`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runUp(cmd.Context(), upFlags{policyFile, port, http, without, reserve, o})
		},
	}
	c.Flags().StringVar(&policyFile, "policy", "", "policy file (default: the shipped policy)")
	c.Flags().IntVar(&port, "port", 4222, "port of the broker on loopback; -1 for any free one")
	c.Flags().IntVar(&http, "http-port", 8080, "port of the first cell's page and API, the others follow; -1 for any free ones")
	c.Flags().StringVar(&reserve, "reserve", "", "room that stays free on the disk: with less, senders are told to try again later; 512MiB, or none (default: a twentieth of the disk, at most 1GiB)")
	c.Flags().BoolVar(&without, "without-workers", false, "run no fusion workers: \"watchfloor worker\" does, in processes of its own")
	o.flags(c)
	return c
}

// parseReserve reads --reserve as the broker takes it.
func parseReserve(text string) (int64, error) {
	switch text {
	case "":
		return 0, nil
	case "none":
		return -1, nil
	}
	n, err := policy.Size(text)
	if err != nil {
		return 0, usage("--reserve: %w", err)
	}
	return n, nil
}

type upFlags struct {
	policy         string
	port, http     int
	withoutWorkers bool
	reserve        string
	outside        outside
}

func (a *app) runUp(ctx context.Context, f upFlags) error {
	keeper, err := f.outside.keeper()
	if err != nil {
		return err
	}
	policyFile := f.policy
	p, err := loadPolicy(policyFile)
	if err != nil {
		return err
	}
	if policyFile != "" {
		if policyFile, err = filepath.Abs(policyFile); err != nil {
			return err
		}
	}
	if err := ensure(a.dir); err != nil {
		return err
	}
	if err := freePorts(f.port, f.http, len(p.Cells)); err != nil {
		return err
	}
	if err := f.outside.free(len(p.Cells)); err != nil {
		return err
	}
	reserve, err := parseReserve(f.reserve)
	if err != nil {
		return err
	}
	log := a.logger()
	s, err := spine.Start(ctx, spine.Config{
		Outside: f.outside.broker, HTTPOutside: f.outside.pages, Keeper: keeper, Advertise: f.outside.name,
		Policy: p, DataDir: a.dataDir(), KeysDir: a.keysDir(), Port: f.port, HTTPPort: f.http, WithoutWorkers: f.withoutWorkers,
		Clock: worker.Wall, Version: Version, Log: log, Console: console.Handler(), Recovery: a.recovery(),
		Broker: func(c *broker.Config) { c.Reserve = reserve },
	})
	if err != nil {
		return startError(err, a.dir)
	}
	run := runFile{URL: s.Broker().ClientURL(), Policy: policyFile, PID: os.Getpid(), Status: "actual", Pages: pages(s), Outside: s.Broker().OutsideURL(), OutsidePages: outsidePages(s)}
	if keeper != nil {
		run.Certificates = &f.outside.files
	}
	if err = run.write(a.dir); err == nil {
		fmt.Fprintf(a.out, "Watchfloor is up: broker %s, policy %s\n", s.Broker().ClientURL(), p.Version)
		// What a service prints ends in a journal, where a token is anybody's.
		a.pageTable(s, isTerminal(a.out))
		a.told(s, keeper)
		fmt.Fprintf(a.out, "Tokens for the pages: %s creds token --page --reader NAME --cell C%s\n", a.name, a.elsewhere())
		fmt.Fprintf(a.out, "Ctrl-C ends. Credentials: %s creds issue --help\n", a.name)
		a.untilDone(ctx, s, policyFile, log)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, s.Close(end), os.Remove(filepath.Join(a.dir, runFileName)))
}

// untilDone waits for the end and takes changed policies meanwhile.
func (a *app) untilDone(ctx context.Context, s *spine.Spine, policyFile string, log *zap.Logger) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			if changed, err := s.ReloadCertificates(); err != nil {
				log.Error("certificates", zap.Error(err))
			} else if changed {
				fmt.Fprintln(a.out, "certificates taken")
			}
			p, err := loadPolicy(policyFile)
			if err == nil {
				err = s.Broker().Reload(ctx, p)
			}
			if err != nil {
				log.Error("policy is not taken, the old one stays", zap.Error(err))
				continue
			}
			fmt.Fprintf(a.out, "policy %s taken\n", p.Version)
		}
	}
}
