package producers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// userName is the name in a user JWT: the user may be answered in the inbox of
// that name only. The broker checks the signature, not we.
func userName(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("it is no JWT of three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("its claims are not base64: %w", err)
	}
	var claims struct {
		Name string `json:"name"`
		NATS struct {
			Type string `json:"type"`
		} `json:"nats"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", fmt.Errorf("its claims are not JSON: %w", err)
	}
	if claims.NATS.Type != "user" {
		return "", fmt.Errorf("it is the JWT of a %q, not of a user", claims.NATS.Type)
	}
	return claims.Name, nil
}

// splitCredentials takes the JWT and the seed out of a credentials file.
func splitCredentials(data []byte) (token, seed string, err error) {
	var blocks []string
	inside := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "-----BEGIN "):
			inside = true
		case strings.HasPrefix(line, "---"):
			inside = false
		case inside && line != "":
			blocks = append(blocks, line)
		}
	}
	if len(blocks) != 2 {
		return "", "", fmt.Errorf("want a user JWT and a seed, each between BEGIN and END lines, got %d blocks", len(blocks))
	}
	return blocks[0], blocks[1], nil
}
