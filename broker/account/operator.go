package account

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// ErrOperator: the seed is not that of the operator of these keys. Bring the
// one that was taken offline.
var ErrOperator = errors.New("that is not the operator's key")

// RotateOperator replaces the operator's signing key, which signs accounts: the
// server then accepts none that the old one signed. It needs the operator's
// seed, in the keys directory or in a file that seedFile names, and that no
// broker runs. Credentials hold on: other keys sign them.
//
// Whatever step it ends after, a broker starts: first the operator names both
// keys, then the keyring holds the new one, then the operator names that alone.
func RotateOperator(keysDir, dataDir, seedFile string) error {
	release, err := Hold(keysDir, dataDir)
	if err != nil {
		return err
	}
	defer release()
	ring, err := openKeyring(keysDir, dataDir)
	if err != nil {
		return err
	}
	claims, err := ring.operatorClaims()
	if err != nil {
		return err
	}
	if seedFile == "" {
		seedFile = filepath.Join(ring.dir, operatorSeed)
	}
	operator, err := operatorOf(seedFile, claims.Subject)
	if err != nil {
		return err
	}
	defer operator.Wipe()
	ring.mu.Lock()
	defer ring.mu.Unlock()
	signing, err := ring.newSeed("operator-signing", nkeys.CreateOperator)
	if err != nil {
		return err
	}
	for _, keys := range [][]string{slices.Concat(claims.SigningKeys, []string{signing}), {signing}} {
		claims.SigningKeys = keys
		if err := ring.writeOperator(claims, operator); err != nil {
			return err
		}
		if err := ring.save(); err != nil {
			return err
		}
	}
	return nil
}

func (r *keyring) writeOperator(claims *jwt.OperatorClaims, operator nkeys.KeyPair) error {
	token, err := claims.Encode(operator)
	if err != nil {
		return fmt.Errorf("sign operator: %w", err)
	}
	return r.write(operatorJWT, []byte(token))
}

// operatorOf reads the operator's seed and checks that it is the operator's.
func operatorOf(path, public string) (nkeys.KeyPair, error) {
	seed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read operator's key: %w", err)
	}
	kp, err := nkeys.FromSeed(bytes.TrimSpace(seed))
	if err != nil {
		return nil, fmt.Errorf("read operator's key %s: %w", path, errors.Join(ErrOperator, err))
	}
	if have, err := kp.PublicKey(); err != nil || have != public {
		return nil, fmt.Errorf("read operator's key %s: %w", path, ErrOperator)
	}
	return kp, nil
}
