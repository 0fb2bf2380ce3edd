// Package account turns a policy into the keys, accounts and credentials of a
// NATS server in operator mode.
//
// Every cell is one account. Every principal of a cell (an agency, a reader,
// the guard, a fusion worker, the HTTP listener) has one scoped signing key in
// it, and the permissions stand with that key in the account, not in the
// user's credential: so a changed policy changes what existing credentials may
// do, at once, and a principal that leaves the policy is gone with its key.
// Permissions are allow-lists with exact names; nobody holds $JS.API.> or
// _INBOX.>. Names come from the policy, which holds no wildcard, and user
// names are checked again here, for whoever names a user writes a subject.
//
// It runs no server and decides nothing about reports: package natsd runs the
// server, package policy says who may do what.
package account

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/internal/unlock"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// system is the name of the account that holds the server's own events.
const system = "SYS"

// Authority holds the keys and makes accounts and credentials with them.
type Authority struct {
	ring     *keyring
	operator *jwt.OperatorClaims
	now      func() time.Time
	unlock   unlock.Key
	restores bool // there is a principal that restores
	revoked  *revocations

	pen sync.Mutex // held while writing what is enforced; never together with mu

	mu     sync.Mutex
	policy *policy.Policy
	jwts   map[string]string // cell name or SYS -> account JWT
	roles  map[string]map[Principal]Role
	// holders is whose each signing key is, by its public key.
	holders map[string]Holder
	// desk is the register of what was handed out; nil where nothing is.
	desk     *Desk
	unread   error               // why the register cannot be read now
	enforced map[string][]string // by cell: the users its account was made to refuse
	due      time.Time           // when the next revocation begins to hold; zero: none is ahead
}

// Config is what an authority needs.
type Config struct {
	// KeysDir holds the keys; they are created on the first start.
	KeysDir string
	// DataDir is only compared: keys do not lie beside what they protect.
	DataDir string
	Policy  *policy.Policy
	// Now is the clock of expiry times.
	Now func() time.Time
	// Anew replaces the signing keys of the broker's own parts: what they signed
	// for the process before holds no more.
	Anew bool
	// Unlock adds a principal that may do everything; tests and trials alone can set it.
	Unlock unlock.Key
}

// Open reads the keys, or creates them on the first start, and compiles the
// policy.
func Open(cfg Config) (*Authority, error) {
	a, err := open(cfg, true)
	if err != nil {
		return nil, err
	}
	if _, err := a.replace(a.desk.reg.Book()); err != nil {
		return nil, err
	}
	if cfg.Anew {
		if err := a.ring.settle(a.ring.parts(), a.desk.reg.Book().Mark()); err != nil {
			return nil, err
		}
	}
	if _, err := a.Apply(cfg.Policy); err != nil {
		return nil, err
	}
	return a, nil
}

// OpenIssuer is Open for a process beside the broker: it issues credentials
// with the keys that the broker has made, adds none and retires none.
func OpenIssuer(keysDir, dataDir string, p *policy.Policy, now func() time.Time) (*Authority, error) {
	return open(Config{KeysDir: keysDir, DataDir: dataDir, Policy: p, Now: now}, false)
}

// Draft compiles a policy with keys that are made for it and kept nowhere: what
// it would come to, to be looked at, never to be run.
func Draft(p *policy.Policy, now func() time.Time) (*Authority, error) {
	ring := &keyring{}
	if err := ring.create(); err != nil {
		return nil, err
	}
	a, err := with(ring, Config{Policy: p, Now: now})
	if err != nil {
		return nil, err
	}
	_, err = a.Apply(p)
	return a, err
}

// OpenOffline is Open for a process that has stored data for itself, where no
// broker runs, to copy it out or to put it back: its accounts have [Restore]
// beside the policy's principals. It writes and retires no key, so every cell
// of the policy must have its keys already.
func OpenOffline(keysDir, dataDir string, p *policy.Policy, now func() time.Time) (*Authority, error) {
	ring, err := openKeyring(keysDir, dataDir)
	if err != nil {
		return nil, err
	}
	for _, c := range p.Cells {
		for _, name := range []string{"account/", "backup/"} {
			if ring.get(name+c.Name) == "" {
				return nil, fmt.Errorf("the keys of %s have no %s%s: start the broker of this release with this policy once: %w", keysDir, name, c.Name, ErrUnknown)
			}
		}
	}
	ring.dir = "" // what Apply makes is for this process
	a, err := with(ring, Config{Policy: p, Now: now})
	if err != nil {
		return nil, err
	}
	a.restores = true
	_, err = a.Apply(p)
	return a, err
}

// open reads the keys and the register; first makes a register where there
// never was one.
func open(cfg Config, first bool) (*Authority, error) {
	ring, err := openKeyring(cfg.KeysDir, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	a, err := with(ring, cfg)
	if err != nil {
		return nil, err
	}
	a.desk, err = openDesk(ring, cfg.Now, first)
	return a, err
}

func with(ring *keyring, cfg Config) (*Authority, error) {
	oc, err := ring.operatorClaims()
	if err != nil {
		return nil, err
	}
	a := &Authority{ring: ring, operator: oc, now: cfg.Now, unlock: cfg.Unlock, policy: cfg.Policy}
	a.roles = a.rolesOf(cfg.Policy)
	a.revoked = &revocations{}
	if ring.dir != "" {
		a.revoked.dir = filepath.Join(ring.dir, revokedDir)
	}
	return a, nil
}

func (a *Authority) rolesOf(p *policy.Policy) map[string]map[Principal]Role {
	roles := rolesOf(p, a.Inlet)
	if a.restores {
		for _, principals := range roles {
			principals[Restore()] = restoreRole()
		}
	}
	if a.unlock.Fits() {
		for _, principals := range roles {
			principals[Root()] = Role{Publish: []string{">"}, Subscribe: []string{">"}}
		}
	}
	return roles
}

// Operator is what the server trusts.
func (a *Authority) Operator() *jwt.OperatorClaims { return a.operator }

// SystemAccount is the public key of the system account.
func (a *Authority) SystemAccount() string { return a.operator.SystemAccount }

// StoreKey is the key that encrypts what JetStream stores.
func (a *Authority) StoreKey() string { return a.ring.secret("jetstream") }

// ArchiveKey seals the backups of a cell, and of no other. It outlives every
// change of the store's key.
func (a *Authority) ArchiveKey(cell string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(a.ring.secret("backup/" + cell))
	if err != nil || len(key) < 32 {
		return nil, fmt.Errorf("cell %q has no key for backups: start the broker of this release once: %w", cell, ErrUnknown)
	}
	return key, nil
}

// Inlet is where a stream of a cell takes in what it stores: by a word of that
// stream alone, which whoever may not write it must never learn. It is none for
// a cell that has no keys yet.
func (a *Authority) Inlet(cell, stream string) subject.Inlet {
	key, err := base64.StdEncoding.DecodeString(a.ring.secret("inlet/" + cell))
	if err != nil || len(key) < 32 {
		return ""
	}
	return subject.NewInlet(hex.EncodeToString(mac(key, stream)[:16]))
}

// AccountKey is the public key of a cell's account; empty for an unknown cell.
func (a *Authority) AccountKey(cell string) string { return a.ring.get("account/" + cell) }

// Principals lists who may hold a credential in a cell, sorted.
func (a *Authority) Principals(cell string) []Principal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.SortedFunc(maps.Keys(a.roles[cell]), comparePrincipals)
}

// Apply compiles p into account JWTs and returns those of every account, by
// public key. Principals that p does not name lose their key: named again
// later, they need new credentials.
func (a *Authority) Apply(p *policy.Policy) (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.ring.provide(a.rolesOf(p)); err != nil {
		return nil, err
	}
	roles := a.rolesOf(p) // once more: now every inlet has its word
	jwts := map[string]string{}
	for _, c := range p.Cells {
		token, err := a.accountJWT(c, roles[c.Name], p.Revoked)
		if err != nil {
			return nil, fmt.Errorf("make account of cell %s: %w", c.Name, err)
		}
		jwts[c.Name] = token
	}
	// A cell that left the policy keeps its data and its account's name, but
	// nobody can sign in to it.
	for _, cell := range a.ring.cells() {
		if _, ok := jwts[cell]; !ok {
			token, err := a.accountJWT(policy.Cell{Name: cell}, nil, nil)
			if err != nil {
				return nil, fmt.Errorf("close account of cell %s: %w", cell, err)
			}
			jwts[cell] = token
		}
	}
	sys, err := a.systemJWT()
	if err != nil {
		return nil, err
	}
	jwts[system] = sys
	holders, err := a.holdersOf(roles)
	if err != nil {
		return nil, err
	}
	a.policy, a.roles, a.jwts, a.holders = p, roles, jwts, holders
	if a.desk != nil {
		a.due = a.desk.reg.Book().Next(a.now())
	}
	return a.byKey(), nil
}

// Accounts returns the current account JWTs by public key.
func (a *Authority) Accounts() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byKey()
}

func (a *Authority) byKey() map[string]string {
	out := make(map[string]string, len(a.jwts))
	for name, token := range a.jwts {
		out[a.ring.get("account/"+name)] = token
	}
	return out
}

func (a *Authority) accountJWT(c policy.Cell, roles map[Principal]Role, revoked []string) (string, error) {
	claims := jwt.NewAccountClaims(a.AccountKey(c.Name))
	claims.Name = c.Name
	claims.Limits.DisallowBearer = true
	claims.Limits.LeafNodeConn = 0
	claims.Limits.WildcardExports = false
	claims.Limits.Exports = 0
	claims.Limits.Imports = 0
	claims.Limits.JetStreamLimits = jwt.JetStreamLimits{
		MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit,
	}
	if c.Quota > 0 {
		claims.Limits.DiskStorage = c.Quota
	}
	for _, p := range slices.SortedFunc(maps.Keys(roles), comparePrincipals) {
		scope, err := a.scope(c.Name, p, roles[p])
		if err != nil {
			return "", err
		}
		claims.SigningKeys.AddScopedSigner(scope)
	}
	for _, user := range slices.Concat(revoked, a.revokedNow(c.Name)) {
		claims.RevokeAt(user, never)
	}
	return a.signAccount(claims)
}

// never is when a revoked key may be used again: no JWT for it, however late
// it is signed, holds.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (a *Authority) scope(cell string, p Principal, r Role) (*jwt.UserScope, error) {
	kp, err := a.ring.signer(cell, p)
	if err != nil {
		return nil, err
	}
	key, err := kp.PublicKey()
	if err != nil {
		return nil, err
	}
	s := jwt.NewUserScope()
	s.Key, s.Role = key, p.String()
	s.Template.Pub = permission(r.Publish)
	s.Template.Sub = permission(r.Subscribe)
	s.Template.AllowedConnectionTypes = jwt.StringList{jwt.ConnectionTypeStandard, jwt.ConnectionTypeInProcess}
	return s, nil
}

// permission is an allow-list. An empty one must deny: NATS reads it as
// "everything".
func permission(allow []string) jwt.Permission {
	if len(allow) == 0 {
		return jwt.Permission{Deny: jwt.StringList{">"}}
	}
	return jwt.Permission{Allow: slices.Clone(allow)}
}

func (a *Authority) systemJWT() (string, error) {
	claims := jwt.NewAccountClaims(a.operator.SystemAccount)
	claims.Name = system
	claims.Limits.DisallowBearer = true
	return a.signAccount(claims)
}

func (a *Authority) signAccount(claims *jwt.AccountClaims) (string, error) {
	kp, err := nkeys.FromSeed([]byte(a.ring.get("operator-signing")))
	if err != nil {
		return "", fmt.Errorf("read operator signing key: %w", err)
	}
	return claims.Encode(kp)
}
