package account

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/jwt/v2"
)

// KeyOf is the public key of the user in the text of a credentials file.
func KeyOf(file []byte) (string, error) {
	kp, err := jwt.ParseDecoratedUserNKey(file)
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	defer kp.Wipe()
	return kp.PublicKey()
}

// EndOf is when the credential in the text of a file stops to hold by itself.
func EndOf(file []byte) (time.Time, error) {
	token, err := jwt.ParseDecoratedJWT(file)
	if err != nil {
		return time.Time{}, fmt.Errorf("read credentials: %w", err)
	}
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return time.Time{}, fmt.Errorf("read credentials: %w", err)
	}
	if claims.Expires == 0 {
		return time.Time{}, errors.New("read credentials: they have no end")
	}
	return time.Unix(claims.Expires, 0).UTC(), nil
}

// Replace writes the credential in the place of a credentials file: whole or
// not at all, so that a client that reads it again never finds half of it.
func (c Credential) Replace(path string) error {
	text, err := c.Creds()
	if err != nil {
		return fmt.Errorf("format credentials: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".creds-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
