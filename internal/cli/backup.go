package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// backupFlags are how a backup is asked for.
type backupFlags struct {
	cells            []string
	policy, withKeys string
}

func (a *app) backup() *cobra.Command {
	var f backupFlags
	c := &cobra.Command{
		Use:   "backup FOLDER",
		Short: "Copy everything that is stored into sealed archives, one per cell",
		Long: `Copies the reports, refusal records, pictures, readers' places and the sealed
record of what was read, of every cell, into a new folder below FOLDER, while the
broker of --dir runs, or without one when it is stopped. Everything that was
acknowledged before the command began is in it. It signs in to each cell with a credential of that cell, made from the
keys below --dir, so it runs as the broker's user.

Each cell is an archive of its own (FOLDER/watchfloor-TIME/CELL), to be kept at
the label that its manifest names; together they are as high as the highest.
An archive is sealed with a key of its cell: without the keys it tells when it
was made, the cell, its label, and how many messages and bytes there were. The
policy lies beside the archives in the clear.

THE KEYS ARE NOT IN IT. Without them nobody reads the archives, the operator
included: copy them once, and after every change of the policy's principals,
with --with-keys to a place of their own, apart from the archives. Whoever has
both has everything. Copy them again after every revocation: what is revoked
later is not revoked in the copy. The operator's own seed (operator.nk) is never copied.

The folder gets its name when everything is on disk; until then it is hidden
(.watchfloor-TIME.partial) and no restore takes it. A report that is purged later
stays in the archives made before: delete those when it has to be gone.` + exitHelp,
		Example: `  watchfloor backup /backup                                   every cell of the broker of --dir
  watchfloor backup /backup/le --cell le                      one cell, for the medium of its label
  watchfloor backup /backup --with-keys /media/usb/wf-keys    and the keys, apart
  watchfloor restore /backup/watchfloor-20261121T094500Z --check    is it whole?`,
		Args: one("the folder to back up into"),
		RunE: func(c *cobra.Command, args []string) error { return a.runBackup(c.Context(), args[0], f) },
	}
	c.Flags().StringSliceVar(&f.cells, "cell", nil, "cells to copy (default: all)")
	c.Flags().StringVar(&f.policy, "policy", "", "policy file of a stopped broker (default: the shipped policy)")
	c.Flags().StringVar(&f.withKeys, "with-keys", "", "also copy the keys, into this new file; keep it apart from the archives")
	return c
}

// keptStore is what is backed up: a running broker or a folder.
type keptStore struct {
	data, keys string
	policy     *policy.Policy
	text       []byte
	run        *local // nil: no broker runs
}

func (a *app) runBackup(ctx context.Context, dir string, f backupFlags) error {
	st, err := a.findStore(f.policy)
	if err != nil {
		return err
	}
	for _, c := range f.cells {
		if _, ok := st.policy.Cell(c); !ok {
			return usage("--cell %q: the policy has %s", c, strings.Join(st.policy.CellNames(), ", "))
		}
	}
	if err := apart(f.withKeys, dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return usage("make folder: %w: name a folder you may write to", err)
	}
	cfg := backup.Config{
		Policy: st.policy, PolicyFile: st.text, Cells: f.cells, DataDir: st.data, Dir: dir, Release: Version, Now: time.Now, Progress: a.copying(),
	}
	folder, manifests, err := st.take(ctx, cfg)
	if err != nil {
		return failed("%w: nothing of it is left in %s", err, dir)
	}
	if f.withKeys != "" {
		doc, err := account.CopyKeys(st.keys, st.data, time.Now())
		if err == nil {
			err = backup.WriteSecret(f.withKeys, doc)
		}
		if err != nil {
			return failed("the archives are whole in %s, but not the keys: %w", folder, err)
		}
	}
	return a.backedUp(folder, manifests, f.withKeys)
}

// findStore finds the running broker of --dir, else its folder.
func (a *app) findStore(policyFile string) (*keptStore, error) {
	if l, found, err := a.running(); err == nil && found {
		data := filepath.Join(l.dir, "data")
		if there, err := natsd.Look(data); err == nil && there.InUse {
			text, err := policyText(l.run.Policy)
			return &keptStore{data, filepath.Join(l.dir, "keys"), l.policy, text, l}, err
		}
	}
	there, err := natsd.Look(a.dataDir())
	switch {
	case err != nil:
		return nil, unreachable("look at %s: %w", a.dataDir(), err)
	case there.InUse:
		return nil, unreachable("a broker runs on %s that has left no %s: wait until it is up", a.dataDir(), runFileName)
	case there.Empty:
		return nil, usage("nothing is stored in %s: name the broker's folder with --dir", a.dir)
	}
	p, err := loadPolicy(policyFile)
	if err != nil {
		return nil, err
	}
	text, err := policyText(policyFile)
	return &keptStore{a.dataDir(), a.keysDir(), p, text, nil}, err
}

// policyText is the file itself.
func policyText(path string) ([]byte, error) {
	if path == "" {
		return policy.DefaultYAML(), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("read policy: %w", err)
	}
	return text, nil
}

// apart refuses to put the keys with what they open.
func apart(keys, dir string) error {
	if keys == "" {
		return nil
	}
	k, err := filepath.Abs(keys)
	if err != nil {
		return err
	}
	d, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if strings.HasPrefix(k, d+string(filepath.Separator)) {
		return usage("--with-keys %s lies with the archives that it opens: name a place apart", keys)
	}
	if _, err := os.Lstat(k); err == nil {
		return usage("--with-keys %s is there already: name a new file", keys)
	}
	return nil
}

// take backs up over the network of a running broker, or from the folder.
func (s *keptStore) take(ctx context.Context, cfg backup.Config) (folder string, out []backup.Manifest, err error) {
	if s.run != nil {
		cfg.Keys, cfg.Connect = s.run.issuer, s.run.backupConnection
		return backup.Take(ctx, cfg)
	}
	f := backup.Folder{Policy: s.policy, DataDir: s.data, KeysDir: s.keys, Now: time.Now}
	err = backup.Offline(f, func(o *backup.Opened) error {
		cfg.Keys, cfg.Connect = o, o.Connect
		folder, out, err = backup.Take(ctx, cfg)
		return err
	})
	return folder, out, err
}

// backupConnection signs in to a cell as its backup.
func (l *local) backupConnection(cell string) (*nats.Conn, error) {
	cred, err := l.issuer.Issue(account.Request{Principal: account.Backup(), Cell: cell, User: "cli", Lifetime: 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	return nats.Connect(l.run.URL, append(cred.Options(), nats.Name("backup of "+cell), nats.Timeout(connectTimeout))...)
}

// backedUp tells what there is.
func (a *app) backedUp(folder string, manifests []backup.Manifest, keys string) error {
	if a.output != "table" {
		if err := json.NewEncoder(a.out).Encode(map[string]any{"folder": folder, "keys": keys, "archives": manifests}); err != nil {
			return err
		}
	} else {
		a.archiveTable(manifests)
		fmt.Fprintf(a.out, "\nfolder  %s\n", folder)
		if keys == "" {
			fmt.Fprintf(a.out, "keys    not copied: without those of %s nobody reads these archives (--with-keys)\n", a.dir)
		} else {
			fmt.Fprintf(a.out, "keys    %s: keep it apart from the archives, for whoever has both has everything\n", keys)
		}
	}
	var damaged []error
	for _, m := range manifests {
		for _, p := range m.Pictures {
			if p.Damaged != "" {
				damaged = append(damaged, fmt.Errorf("the %s picture of %s: %s", p.Status, m.Cell, p.Damaged))
			}
		}
	}
	if len(damaged) > 0 {
		return failed("the archives are whole, but a stored picture is not; a worker makes it anew from the reports when it starts: %w", errors.Join(damaged...))
	}
	return nil
}

func (a *app) archiveTable(manifests []backup.Manifest) {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "CELL\tLABEL\tREPORT RECORDS\tMESSAGES\tBYTES\tPICTURES")
	for _, m := range manifests {
		var messages uint64
		var bytes int64
		reports, _ := m.Stream(subject.Reports)
		for _, s := range m.Streams {
			messages, bytes = messages+s.Messages, bytes+s.Bytes
		}
		var pictures []string
		for _, p := range m.Pictures {
			if p.Revision > 0 {
				pictures = append(pictures, fmt.Sprintf("%s %d situations, digest %.12s", p.Status, p.Situations, p.Digest))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\n", m.Cell, m.Label, reports.Messages, messages, bytes, strings.Join(pictures, "; "))
	}
	w.Flush()
}

// copying tells how far a backup or restore is: on a terminal one line that
// rewrites itself, else a line every few seconds.
func (a *app) copying() func(backup.Progress) {
	every, terminal := 5*time.Second, isTerminal(a.err)
	if terminal {
		every = 200 * time.Millisecond
	}
	last := time.Now()
	return func(p backup.Progress) {
		if time.Since(last) < every {
			return
		}
		last = time.Now()
		line := fmt.Sprintf("%s %s %s: %.1f MB", p.Doing, p.Cell, p.Stream, float64(p.Bytes)/1e6)
		if terminal {
			fmt.Fprintf(a.err, "\r\033[K%s\r", line)
		} else {
			fmt.Fprintln(a.err, line)
		}
	}
}
