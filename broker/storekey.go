package broker

import (
	"errors"
	"fmt"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/atrest"
	"github.com/watchfloor/watchfloor/broker/natsd"
)

// ErrKeysLost: there is a store and no keys. Put back a copy of the keys
// directory; nothing was touched. New keys could not read what is stored.
var ErrKeysLost = errors.New("there is a store, but no keys for it")

// StoreKey says which key a store has and which the keyring holds.
type StoreKey struct {
	// Keyring is the fingerprint of the keyring's key, Next that of the one a
	// change of keys goes to.
	Keyring string `json:"keyring"`
	Next    string `json:"next,omitempty"`
	// Store is what the store says of itself; empty before its first start.
	Store atrest.Seal `json:"store"`
}

// Fits says whether a broker with the keyring would open the store.
func (k StoreKey) Fits() bool {
	switch {
	case k.Store.Key == "":
		return true
	case k.Store.Next == "":
		return k.Store.Key == k.Keyring || k.Next != "" && k.Store.Key == k.Next
	}
	return k.Store.Key == k.Keyring && k.Store.Next == k.Next
}

// ReadStoreKey reads both sides and changes neither. keysDir may be a copy.
func ReadStoreKey(dataDir, keysDir string) (StoreKey, error) {
	key, next, err := account.StoreKeys(keysDir)
	if err != nil {
		return StoreKey{}, err
	}
	out := StoreKey{Keyring: atrest.Fingerprint(key)}
	if next != "" {
		out.Next = atrest.Fingerprint(next)
	}
	out.Store, err = atrest.ReadSeal(dataDir)
	return out, err
}

// RotateStoreKey puts a new key in the place of the store's. No broker may run.
// Ended in the middle, it goes on when it is called again or a broker starts.
// It returns how many key files were changed; progress may be nil.
func RotateStoreKey(dataDir, keysDir string, progress func(done, total int)) (changed int, err error) {
	if err := keysThere(dataDir, keysDir); err != nil {
		return 0, err
	}
	release, err := account.Hold(keysDir, dataDir)
	if errors.Is(err, account.ErrHeld) {
		err = errors.Join(err, natsd.ErrInUse)
	}
	if err != nil {
		return 0, fmt.Errorf("rotate store key: %w", err)
	}
	defer release()
	// The keyring may hold a key that is not the store's: look before there is a
	// second one in it.
	if have, err := ReadStoreKey(dataDir, keysDir); err != nil {
		return 0, fmt.Errorf("rotate store key: %w", err)
	} else if !have.Fits() {
		return 0, fmt.Errorf("rotate store key: the keyring's is %s, the store's %s: %w", have.Keyring, have.Store.Key, atrest.ErrWrongKey)
	}
	return rotate(dataDir, keysDir, progress)
}

func rotate(dataDir, keysDir string, progress func(done, total int)) (changed int, err error) {
	from, to, err := account.BeginStoreKey(keysDir, dataDir)
	if err != nil {
		return 0, fmt.Errorf("rotate store key: %w", err)
	}
	if changed, err = natsd.Rotate(dataDir, from, to, progress); err != nil {
		return changed, fmt.Errorf("rotate store key: %w", err)
	}
	if err := account.EndStoreKey(keysDir, dataDir); err != nil {
		return changed, fmt.Errorf("rotate store key: %w", err)
	}
	return changed, nil
}

// keysThere refuses to make new keys for a store that has some.
func keysThere(dataDir, keysDir string) error {
	holds, err := natsd.Holds(dataDir)
	if err != nil || !holds {
		return err
	}
	has, err := account.HasKeys(keysDir)
	if err != nil {
		return fmt.Errorf("look for keys: %w", err)
	}
	if !has {
		return fmt.Errorf("store in %s, keys in %s: %w", dataDir, keysDir, ErrKeysLost)
	}
	return nil
}

// resumeRotation ends a change of keys that was ended in the middle.
func (b *Broker) resumeRotation() error {
	if has, err := account.HasKeys(b.cfg.KeysDir); err != nil || !has {
		return err
	}
	_, next, err := account.StoreKeys(b.cfg.KeysDir)
	if err != nil || next == "" {
		return err
	}
	b.cfg.Log.Warn("a change of the store key goes on")
	_, err = rotate(b.cfg.DataDir, b.cfg.KeysDir, nil)
	return err
}
