package account_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
)

// A signing key that is to be replaced while the keyring cannot be written, as on
// a full disk, is replaced once it can: it is never said to be and is not.
func TestReplacedOnceTheDiskTakesIt(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, policy.Default(), time.Now)
	desk, err := account.OpenDesk(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Replace("agency/fbi", "le", account.Reason{By: "op", Why: "a test"}); err != nil {
		t.Fatal(err)
	}
	ring := filepath.Join(dir, "keys", "keyring.json")
	if err := os.Rename(ring, ring+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(ring, 0o700); err != nil { // no file takes the place of a folder
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := a.Enforce(); err == nil {
			t.Fatal("a signing key is replaced that is not on disk")
		}
	}
	if err := os.Remove(ring); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(ring+".aside", ring); err != nil {
		t.Fatal(err)
	}
	c, found, err := a.Enforce()
	if err != nil || !found || len(c.Signers) != 1 || len(c.Accounts) != 1 {
		t.Errorf("found %v, %d signing keys that hold no more, %d accounts, %v; want one of each", found, len(c.Signers), len(c.Accounts), err)
	}
}
