package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/atrest"
	"github.com/watchfloor/watchfloor/broker/natsd"
)

func (a *app) key() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "key",
		Short: "See and change the key that encrypts what is stored",
		Example: `  watchfloor key status
  watchfloor key rotate
  watchfloor key restore /media/usb/wf-keys`,
	})
	c.AddCommand(a.keyStatus(), a.keyRotate(), a.keyRestore())
	return c
}

func (a *app) keyStatus() *cobra.Command {
	var keys string
	c := &cobra.Command{
		Use:   "status",
		Short: "Say whether the keys at hand, or a copy of them, open the store; exit 1 when not",
		Long: `Compares the fingerprint of the key in the keys folder with that in the data
folder. A fingerprint tells nothing of the key. Keep a copy of the keys folder
apart from the machine, made anew after every "key rotate", and look with --keys
whether the copy fits; to restore it, copy it back in the place of a keys folder
that is lost (mode 0700, files 0600).`,
		Example: `  watchfloor key status
  watchfloor key status --keys /media/safe/watchfloor-keys
  watchfloor key status --keys /media/usb/wf-keys     the file of "backup --with-keys"`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if keys == "" {
				keys = a.keysDir()
			}
			k, err := broker.ReadStoreKey(a.dataDir(), keys)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return failed("there are no keys in %s: %w: restore the copy of the folder", keys, err)
			case err != nil:
				return failed("%w", err)
			}
			return a.showKey(k, keys)
		},
	}
	c.Flags().StringVar(&keys, "keys", "", "folder of keys, such as a copy, or the file of backup --with-keys (default: keys below --dir)")
	return c
}

func (a *app) showKey(k broker.StoreKey, keys string) error {
	if a.output != "table" {
		if err := json.NewEncoder(a.out).Encode(struct {
			broker.StoreKey
			Fits bool `json:"fits"`
		}{k, k.Fits()}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.out, "key of the store  %s\nkey in the keys   %s\n", orNone(k.Store.Key), k.Keyring)
		if k.Store.Next != "" || k.Next != "" {
			fmt.Fprintf(a.out, "being changed to  %s\nin the keys       %s\n", orNone(k.Store.Next), orNone(k.Next))
		}
	}
	if !k.Fits() {
		return failed("the keys in %s do not open the store in %s: restore the copy that belongs to it", keys, a.dataDir())
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none yet"
	}
	return s
}

func (a *app) keyRotate() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Put a new key in the place of the one that the store is encrypted with",
		Long: `Seals every stream's and block's own key anew; what they hold is not rewritten,
so it takes seconds. The broker is stopped meanwhile. Ended in the middle, it
goes on when it is called again or the broker starts, and nothing is lost. From
then on a copy of the old keys opens nothing of this store: make a new copy.

Whoever had both the old key and a copy of the data can still read that copy.`,
		Example: `  systemctl stop watchfloor
  watchfloor key rotate --dir /var/lib/watchfloor
  cp -a /var/lib/watchfloor/keys /media/safe/watchfloor-keys
  systemctl start watchfloor`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.rotateKey() },
	}
}

func (a *app) rotateKey() error {
	if holds, err := natsd.Holds(a.dataDir()); err != nil || !holds {
		return errors.Join(usage("there is no store in %s: name the folder of a broker with --dir", a.dir), err)
	}
	changed, err := broker.RotateStoreKey(a.dataDir(), a.keysDir(), nil)
	switch {
	case errors.Is(err, natsd.ErrInUse):
		return unreachable("a broker runs in %s: stop it first, its store is changed while nobody has it open", a.dir)
	case errors.Is(err, broker.ErrKeysLost), errors.Is(err, atrest.ErrWrongKey):
		return failed("%w: restore the copy of %s that belongs to the store", err, a.keysDir())
	case err != nil:
		return failed("%w", err)
	}
	k, err := broker.ReadStoreKey(a.dataDir(), a.keysDir())
	if err != nil {
		return failed("%w", err)
	}
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(map[string]any{"changed": changed, "key": k.Store.Key})
	}
	_, err = fmt.Fprintf(a.out, "%d key files sealed with key %s\nCopy %s to a safe place: older copies open nothing any more\n", changed, k.Store.Key, filepath.Clean(a.keysDir()))
	return err
}

func (a *app) keyRestore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put keys back that are lost while the data is there, from the file of \"backup --with-keys\"",
		Long: `Writes the keys below --dir from the copy, if they open the store that is there.
Keys that are there are never overwritten. Credentials that were revoked since the
copy was made hold again: revoke them again before agencies and readers connect.
Where the data is lost too, "watchfloor restore" brings back both.`,
		Example: "  watchfloor key restore /media/usb/wf-keys --dir /var/lib/watchfloor",
		Args:    named("the file that \"backup --with-keys\" made"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("name one file, not %d", len(args))
			}
			return a.restoreKey(args[0])
		},
	}
}

func (a *app) restoreKey(file string) error {
	if holds, err := natsd.Holds(a.dataDir()); err != nil || !holds {
		return errors.Join(usage("there is no store in %s: name the folder of a broker with --dir", a.dir), err)
	}
	if there, err := natsd.Look(a.dataDir()); err != nil {
		return failed("%w", err)
	} else if there.InUse {
		return unreachable("a broker runs in %s: its keys are newer than any copy; stop it first", a.dir)
	}
	doc, err := os.ReadFile(file)
	if err != nil {
		return usage("read the copy: %w: name the file that \"backup --with-keys\" made; a copied folder is copied back", err)
	}
	k, err := broker.ReadStoreKey(a.dataDir(), file)
	switch {
	case err != nil:
		return failed("%w", err)
	case !k.Fits():
		return failed("the keys in %s do not open the store in %s: name the copy that belongs to it; nothing was touched", file, a.dataDir())
	}
	made, err := account.RestoreKeys(doc, a.keysDir(), a.dataDir())
	switch {
	case errors.Is(err, fs.ErrExist):
		return usage("%w: take them away first", err)
	case err != nil:
		return failed("%w", err)
	}
	_, err = fmt.Fprintf(a.out, "note: %s\nrestored: %s\n", sinceCopy(made), filepath.Clean(a.keysDir()))
	return err
}

// sinceCopy says what the operator has to think of after keys came back.
func sinceCopy(made time.Time) string {
	return fmt.Sprintf("the keys are those of %s: credentials revoked since then hold again; revoke them again before agencies and readers connect", made.Format(time.RFC3339))
}
