package account

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/internal/folder"

	"github.com/watchfloor/watchfloor/broker/register"
)

// Files of the keys directory.
const (
	// operatorSeed signs operator.jwt once; it may then be taken offline.
	operatorSeed = "operator.nk"
	operatorJWT  = "operator.jwt"
	ringFile     = "keyring.json"
)

// keyring is every key the broker works with, in one file that is replaced as
// a whole. Names:
//
//	operator-signing            seed that signs accounts
//	account/CELL                public key of an account; its seed is not kept
//	sign/CELL/KIND/NAME         seed that signs the users of a principal
//	jetstream, token/CELL       random secrets, base64
//	backup/CELL                 likewise: seals the backups of the cell
//	violations                  likewise: what seals the records of violations is derived from it
//	register                    how far the register of credentials was read
//	inlet/CELL                  likewise: gives each stream of the cell its inlet
//
// Without a directory it is kept in memory alone.
type keyring struct {
	dir      string
	operator string // JWT

	mu   sync.Mutex
	keys map[string]string
}

type ringDocument struct {
	Version int               `json:"version"`
	Keys    map[string]string `json:"keys"`
}

func openKeyring(dir, dataDir string) (*keyring, error) {
	dir, err := safeDir(dir, dataDir)
	if err != nil {
		return nil, err
	}
	r := &keyring{dir: dir}
	data, err := r.read(ringFile)
	if errors.Is(err, fs.ErrNotExist) {
		return r, r.create()
	}
	if err != nil {
		return nil, err
	}
	operator, err := r.read(operatorJWT)
	if err != nil {
		return nil, fmt.Errorf("read operator: %w", err)
	}
	r.operator = string(operator)
	var doc ringDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read keyring %s: %w", filepath.Join(dir, ringFile), err)
	}
	if doc.Version != 1 {
		return nil, fmt.Errorf("read keyring %s: version %d was written by another release; this one reads version 1", filepath.Join(dir, ringFile), doc.Version)
	}
	r.keys = doc.Keys
	return r, nil
}

// safeDir makes the directory if it is missing and refuses one that others can
// read or that lies inside the data (where a copy of the data would carry the
// keys along).
func safeDir(dir, dataDir string) (string, error) {
	dir, err := realPath(dir)
	if err != nil {
		return "", fmt.Errorf("find keys directory: %w", err)
	}
	data, err := realPath(dataDir)
	if err != nil {
		return "", fmt.Errorf("find data directory: %w", err)
	}
	if dir == data || strings.HasPrefix(dir, data+string(filepath.Separator)) {
		return "", fmt.Errorf("keys directory %s lies inside data directory %s; choose one outside: %w", dir, data, ErrUnsafeKeys)
	}
	if err := folder.Make(dir, 0o700); err != nil {
		return "", fmt.Errorf("make keys directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("look at keys directory: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("keys directory %s has mode %04o; run chmod 0700: %w", dir, info.Mode().Perm(), ErrUnsafeKeys)
	}
	return dir, nil
}

// realPath resolves links of the part of the path that exists.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(real, rest), nil
		}
		if p == filepath.Dir(p) {
			return path, nil
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

func (r *keyring) read(name string) ([]byte, error) {
	path := filepath.Join(r.dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s has mode %04o; run chmod 0600: %w", path, info.Mode().Perm(), ErrUnsafeKeys)
	}
	return os.ReadFile(path)
}

// create makes what every broker needs: operator, system account, store key.
func (r *keyring) create() error {
	operator, err := nkeys.CreateOperator()
	if err != nil {
		return fmt.Errorf("create operator key: %w", err)
	}
	seed, err := operator.Seed()
	if err != nil {
		return fmt.Errorf("create operator key: %w", err)
	}
	r.keys = map[string]string{"jetstream": newSecret()}
	signing, err := r.newSeed("operator-signing", nkeys.CreateOperator)
	if err != nil {
		return err
	}
	sys, err := r.newAccount(system)
	if err != nil {
		return err
	}
	public, err := operator.PublicKey()
	if err != nil {
		return fmt.Errorf("create operator key: %w", err)
	}
	claims := jwt.NewOperatorClaims(public)
	claims.Name = "watchfloor"
	claims.SigningKeys.Add(signing)
	claims.StrictSigningKeyUsage = true
	claims.SystemAccount = sys
	token, err := claims.Encode(operator)
	if err != nil {
		return fmt.Errorf("sign operator: %w", err)
	}
	if err := r.write(operatorSeed, seed); err != nil {
		return err
	}
	if err := r.write(operatorJWT, []byte(token)); err != nil {
		return err
	}
	r.operator = token
	return r.save()
}

func (r *keyring) operatorClaims() (*jwt.OperatorClaims, error) {
	claims, err := jwt.DecodeOperatorClaims(r.operator)
	if err != nil {
		return nil, fmt.Errorf("read operator %s: %w", filepath.Join(r.dir, operatorJWT), err)
	}
	return claims, nil
}

func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: package crypto/rand ends the program first
	return base64.StdEncoding.EncodeToString(b)
}

// newSeed creates a key, keeps its seed under name and returns the public key.
func (r *keyring) newSeed(name string, create func() (nkeys.KeyPair, error)) (string, error) {
	kp, err := create()
	if err != nil {
		return "", fmt.Errorf("create key %s: %w", name, err)
	}
	seed, err := kp.Seed()
	if err != nil {
		return "", fmt.Errorf("create key %s: %w", name, err)
	}
	r.keys[name] = string(seed)
	return kp.PublicKey()
}

// newAccount names an account by a fresh public key. Its seed is thrown away:
// only signing keys sign.
func (r *keyring) newAccount(cell string) (string, error) {
	kp, err := nkeys.CreateAccount()
	if err != nil {
		return "", fmt.Errorf("create account %s: %w", cell, err)
	}
	public, err := kp.PublicKey()
	if err != nil {
		return "", fmt.Errorf("create account %s: %w", cell, err)
	}
	r.keys["account/"+cell] = public
	return public, nil
}

// change edits the keys and saves them. When they cannot be saved they are as
// they were: what is not on disk is not in force, and is tried again.
func (r *keyring) change(edit func() (changed bool, err error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := maps.Clone(r.keys)
	changed, err := edit()
	if err == nil && changed {
		err = r.save()
	}
	if err != nil {
		r.keys = before
	}
	return err
}

// provide creates the keys that roles need, retires those of principals that
// are no more, and saves once if anything changed.
func (r *keyring) provide(roles map[string]map[Principal]Role) error {
	return r.change(func() (changed bool, err error) {
		if r.keys["violations"] == "" {
			r.keys["violations"] = newSecret()
			changed = true
		}
		wanted := map[string]bool{}
		for cell, principals := range roles {
			if r.keys["account/"+cell] == "" {
				if _, err := r.newAccount(cell); err != nil {
					return false, err
				}
				r.keys["token/"+cell] = newSecret()
				changed = true
			}
			for _, use := range []string{"backup/", "inlet/"} {
				if r.keys[use+cell] == "" {
					r.keys[use+cell] = newSecret()
					changed = true
				}
			}
			for p := range principals {
				name := signName(cell, p)
				wanted[name] = true
				if r.keys[name] != "" {
					continue
				}
				if _, err := r.newSeed(name, nkeys.CreateAccount); err != nil {
					return false, err
				}
				changed = true
			}
		}
		for name := range r.keys {
			if strings.HasPrefix(name, "sign/") && !wanted[name] {
				delete(r.keys, name)
				changed = true
			}
		}
		return changed, nil
	})
}

func signName(cell string, p Principal) string { return "sign/" + cell + "/" + p.String() }

func (r *keyring) signer(cell string, p Principal) (nkeys.KeyPair, error) {
	seed := r.get(signName(cell, p))
	if seed == "" {
		return nil, fmt.Errorf("%s in cell %s has no key yet; start the broker with this policy first: %w", p, cell, ErrUnknown)
	}
	return nkeys.FromSeed([]byte(seed))
}

// settle replaces signing keys and notes up to where the register was obeyed,
// in one write.
func (r *keyring) settle(names []string, at register.Mark) error {
	return r.change(func() (bool, error) {
		for _, name := range names {
			if _, err := r.newSeed(name, nkeys.CreateAccount); err != nil {
				return false, err
			}
		}
		r.keys[anchorName] = at.String()
		return true, nil
	})
}

// signerKey is the public key that signs the users of a principal ("agency/fbi")
// in a cell; empty: none does.
func (r *keyring) signerKey(cell, principal string) string {
	kp, err := nkeys.FromSeed([]byte(r.get("sign/" + cell + "/" + principal)))
	if err != nil {
		return ""
	}
	key, err := kp.PublicKey()
	if err != nil {
		return ""
	}
	return key
}

// signs lists "CELL/KIND/NAME" of every signing key, sorted.
func (r *keyring) signs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for name := range r.keys {
		if rest, ok := strings.CutPrefix(name, "sign/"); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out
}

// parts lists the signing keys of what runs in a broker's process and nowhere
// else.
func (r *keyring) parts() []string {
	var out []string
	for _, name := range r.signs() {
		_, who, _ := strings.Cut(name, "/")
		switch kind, _, _ := strings.Cut(who, "/"); kind {
		case kindGuard, kindProvision, kindAPI:
			out = append(out, "sign/"+name)
		}
	}
	return out
}

// signsIn lists the cells in which a principal has a signing key, of one cell
// or of all.
func (r *keyring) signsIn(principal, cell string) []string {
	var out []string
	for _, name := range r.signs() {
		if in, who, _ := strings.Cut(name, "/"); who == principal && (cell == "" || cell == in) {
			out = append(out, in)
		}
	}
	return out
}

func (r *keyring) get(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[name]
}

func (r *keyring) secret(name string) string { return r.get(name) }

// cells lists every cell that ever had an account, the system's excluded.
func (r *keyring) cells() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for name := range r.keys {
		if cell, ok := strings.CutPrefix(name, "account/"); ok && cell != system {
			out = append(out, cell)
		}
	}
	return out
}

// save replaces the ring's file; the caller holds mu or owns the ring alone.
func (r *keyring) save() error {
	data, err := json.MarshalIndent(ringDocument{Version: 1, Keys: r.keys}, "", "  ")
	if err != nil {
		return fmt.Errorf("write keyring: %w", err)
	}
	return r.write(ringFile, append(data, '\n'))
}

// write replaces a file: whole or not at all, and on disk when it returns.
func (r *keyring) write(name string, data []byte) error {
	if r.dir == "" {
		return nil
	}
	f, err := os.CreateTemp(r.dir, name+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(r.dir, name))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncDir(r.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
