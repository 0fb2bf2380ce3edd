package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// restoreFlags are how a restore is asked for.
type restoreFlags struct {
	keys, policy                    string
	replace, partial, check, newKey bool
}

func (a *app) restore() *cobra.Command {
	var f restoreFlags
	c := &cobra.Command{
		Use:   "restore FOLDER...",
		Short: "Put back what backup copied: reports, pictures and readers' places",
		Long: `Makes the data of a broker in --dir from the archives of one backup: FOLDER is
what backup made, or the archives of its cells wherever they were kept. Every
report has its own sequence and time again, every picture its digest, every
reader goes on where it was.

It reads the archives to their end first and refuses, with nothing touched, what
is damaged, incomplete, sealed with other keys, of another backup, of a newer
release, or of a cell that the policy labels otherwise. Then it builds the store
beside its place, reads it again message by message, and puts it in place only
when nothing differs. Data that is there is never overwritten: --replace puts it
aside under another name. No broker may run on the folder.

The keys of the folder are used if it has some. After a full loss name the copy
made by "backup --with-keys": it becomes the keys of the folder, and all
credentials that held then hold again, those revoked since included. With --new-keys the copy only opens the
archives; the store gets keys of its own and every credential is issued anew:
for when the old keys may be in other hands.

Readers that had read further than the backup will see sequences again, with
other reports: tell downstream services that count by sequence.` + exitHelp,
		Example: `  watchfloor restore /backup/watchfloor-20261121T094500Z --keys /media/usb/wf-keys
  watchfloor restore /backup/watchfloor-20261121T094500Z --check      read and verify, write nothing
  watchfloor restore /mnt/le/le /mnt/intel/intel --partial            these cells; the others stay empty
  watchfloor restore BACKUP --replace                                 over the data of --dir, which is put aside`,
		Args: named("the folder that backup made, or archives of it"),
		RunE: func(c *cobra.Command, args []string) error { return a.runRestore(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.keys, "keys", "", "copy of the keys that the archives are sealed with (default: those of --dir)")
	c.Flags().StringVar(&f.policy, "policy", "", "policy file (default: the one beside the archives)")
	c.Flags().BoolVar(&f.replace, "replace", false, "put data that is there aside")
	c.Flags().BoolVar(&f.partial, "partial", false, "allow that cells of the policy are left empty")
	c.Flags().BoolVar(&f.check, "check", false, "verify the archives only")
	c.Flags().BoolVar(&f.newKey, "new-keys", false, "make new keys for the folder; the copy only opens the archives")
	return c
}

// restored is what was done, for -o json.
type restored struct {
	Archives []backup.Manifest `json:"archives"`
	Checked  bool              `json:"checked"`
	Restored bool              `json:"restored"`
	Aside    string            `json:"aside,omitempty"`
	Notes    []string          `json:"notes,omitempty"`
}

func (a *app) runRestore(ctx context.Context, paths []string, f restoreFlags) error {
	if f.newKey && f.keys == "" {
		return usage("--new-keys needs --keys: the copy that opens the archives")
	}
	dirs, err := backup.Find(paths...)
	if err != nil {
		return usage("%w", err)
	}
	p, err := restorePolicy(dirs[0], f.policy)
	if err != nil {
		return err
	}
	copied, keys, err := a.openers(f, p)
	if err != nil {
		return err
	}
	archives, err := backup.Open(dirs, p, keys, f.partial)
	if err != nil {
		return failed("%w", err)
	}
	doc := restored{Archives: archives.Manifests(), Checked: true}
	if f.check {
		if err := archives.Check(ctx, a.copying()); err != nil {
			return failed("%w", err)
		}
		doc.Notes = archives.Notes
		return a.tellRestored(doc)
	}
	var note string
	out, err := backup.Restore(ctx, archives, backup.Target{
		Policy: p, DataDir: a.dataDir(), KeysDir: a.keysDir(), Replace: f.replace, Now: time.Now, Progress: a.copying(),
		Prepare: func() (err error) {
			note, err = a.settleKeys(copied, f.newKey, p)
			return err
		},
	})
	if err != nil {
		return restoreError(err)
	}
	doc.Restored, doc.Aside, doc.Notes = true, out.Aside, out.Notes
	if note != "" {
		doc.Notes = append(doc.Notes, note)
	}
	return a.tellRestored(doc)
}

// restorePolicy reads the policy named, else the one beside the archives, which
// has to be the one that the backup was made under.
func restorePolicy(archive, path string) (*policy.Policy, error) {
	if path != "" {
		return loadPolicy(path)
	}
	m, err := backup.Read(archive)
	if err != nil {
		return nil, failed("%w", err)
	}
	for _, dir := range []string{archive, filepath.Dir(archive)} {
		beside := filepath.Join(dir, backup.PolicyName)
		if _, err := os.Stat(beside); err != nil {
			continue
		}
		p, err := loadPolicy(beside)
		if err == nil && p.Version != m.Policy {
			err = failed("%s is policy %s, the backup was made under %s: name the policy with --policy", beside, p.Version, m.Policy)
		}
		return p, err
	}
	return nil, usage("no %s lies beside %s: name the policy with --policy", backup.PolicyName, archive)
}

// openers finds the keys that open the archives, and makes none.
func (a *app) openers(f restoreFlags, p *policy.Policy) (copied []byte, keys backup.Keys, err error) {
	if f.keys != "" {
		if copied, err = os.ReadFile(f.keys); err != nil {
			return nil, nil, usage("--keys: %w", err)
		}
		k, err := account.FromCopy(copied, p, time.Now)
		if err != nil {
			return nil, nil, failed("--keys %s: %w", f.keys, err)
		}
		return copied, k, nil
	}
	have, err := account.HasKeys(a.keysDir())
	if err != nil {
		return nil, nil, failed("look for keys: %w", err)
	}
	if !have {
		return nil, nil, usage("%s has no keys: name the copy that \"backup --with-keys\" made with --keys; without it the archives cannot be read", a.keysDir())
	}
	k, err := account.OpenIssuer(a.keysDir(), a.dataDir(), p, time.Now)
	if err != nil {
		return nil, nil, failed("open keys: %w", err)
	}
	return nil, k, nil
}

// settleKeys gives the folder its keys: those it has, the copy, or new ones. The
// note says what the operator has to think of.
func (a *app) settleKeys(copied []byte, anew bool, p *policy.Policy) (note string, err error) {
	have, err := account.HasKeys(a.keysDir())
	switch {
	case err != nil:
		return "", err
	case have && anew:
		return "", fmt.Errorf("%s has keys, and --new-keys would make others: take them away first: %w", a.keysDir(), fs.ErrExist)
	case anew:
		_, err = account.Open(account.Config{KeysDir: a.keysDir(), DataDir: a.dataDir(), Policy: p, Now: time.Now})
		return "the keys are new: every credential has to be issued anew", err
	case have:
		return "", nil
	}
	made, err := account.RestoreKeys(copied, a.keysDir(), a.dataDir())
	return sinceCopy(made), err
}

func restoreError(err error) error {
	switch {
	case errors.Is(err, natsd.ErrInUse):
		return unreachable("%w", err)
	case errors.Is(err, backup.ErrNotEmpty), errors.Is(err, fs.ErrExist):
		return usage("%w", err)
	}
	return failed("%w", err)
}

func (a *app) tellRestored(d restored) error {
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(d)
	}
	a.archiveTable(d.Archives)
	fmt.Fprintln(a.out)
	for _, n := range d.Notes {
		fmt.Fprintln(a.out, "note:", n)
	}
	var reports uint64
	for _, m := range d.Archives {
		s, _ := m.Stream(subject.Reports)
		reports += s.Messages
	}
	began := d.Archives[0].Began.Format(time.RFC3339)
	if !d.Restored {
		fmt.Fprintf(a.out, "whole: %d archives of %s with %d report records, every hash, seal, message and picture\n", len(d.Archives), began, reports)
		return nil
	}
	if d.Aside != "" {
		fmt.Fprintf(a.out, "what was there is in %s\n", d.Aside)
	}
	fmt.Fprintf(a.out, "restored: %d cells of %s with %d report records, read again and the same\nStart it: %s up%s (with the policy's --policy, if it had one)\n",
		len(d.Archives), began, reports, a.name, a.elsewhere())
	return nil
}
