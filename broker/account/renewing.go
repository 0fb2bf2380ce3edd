package account

import (
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Renewing are the options of a connection that signs in with a new credential
// every time, so that it outlives the end of each and the replacement of what
// signs them. Issue gets the seed of the one before, empty at first: if it
// issues for that key again ([Request].Seed), several connections may share the
// options. Principal and user stay the same. The first credential, for its
// address, is returned too.
func Renewing(issue func(seed string) (Credential, error)) ([]nats.Option, Credential, error) {
	first, err := issue("")
	if err != nil {
		return nil, Credential{}, err
	}
	var mu sync.Mutex
	seed, unused := first.Seed, true
	token := func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		c := first
		if !unused {
			next, err := issue(seed)
			if err != nil {
				return "", fmt.Errorf("renew credential: %w", err)
			}
			c = next
		}
		seed, unused = c.Seed, false
		return c.JWT, nil
	}
	sign := func(nonce []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		kp, err := nkeys.FromSeed([]byte(seed))
		if err != nil {
			return nil, fmt.Errorf("read user key: %w", err)
		}
		defer kp.Wipe()
		return kp.Sign(nonce)
	}
	return []nats.Option{nats.UserJWT(token, sign), nats.CustomInboxPrefix(first.InboxPrefix)}, first, nil
}
