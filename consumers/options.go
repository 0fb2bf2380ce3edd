package consumers

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Option changes how Connect connects. One that cannot be used fails Connect.
type Option func(*settings) error

type settings struct {
	url, inbox, cell, name string
	auth                   nats.Option
	api                    *pastAPI
	progress               func(done, total uint64)
	log                    *zap.Logger
	more                   []nats.Option
	tls                    *tls.Config // nil: what the address demands, and the system's authorities
}

// WithCredentials uses a credentials file as the broker issued it. It is read
// again at every reconnection: a file that was renewed or rotated in its place
// is taken up by itself.
func WithCredentials(path string) Option {
	return func(s *settings) error {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("read credentials: %w", err)
		}
		s.auth = nats.UserCredentials(path)
		return nil
	}
}

// WithUser uses a user's token and seed.
func WithUser(jwt, seed string) Option {
	return func(s *settings) error {
		if jwt == "" || seed == "" {
			return errors.New("a user needs both a token and a seed")
		}
		s.auth = nats.UserJWTAndSeed(jwt, seed)
		return nil
	}
}

// WithSignIn leaves to the caller how to sign in: options of the NATS client,
// for credentials that are made anew for every connection.
func WithSignIn(auth ...nats.Option) Option {
	return func(s *settings) error {
		if len(auth) == 0 {
			return errors.New("no way to sign in")
		}
		s.auth = func(o *nats.Options) error {
			for _, f := range auth {
				if err := f(o); err != nil {
					return err
				}
			}
			return nil
		}
		return nil
	}
}

// WithInboxPrefix says where the reader is answered: _INBOX.READER.USER, as
// issued with the credentials. It also names the reader whose feeds are followed.
func WithInboxPrefix(prefix string) Option {
	return func(s *settings) error {
		p := strings.Split(prefix, ".")
		if len(p) != 3 || p[0] != "_INBOX" || !subject.Word(p[1]) || !subject.Word(p[2]) {
			return fmt.Errorf("inbox prefix %q: use the one issued with the credentials, like _INBOX.watch-le.main", prefix)
		}
		s.inbox = prefix
		return nil
	}
}

// WithContextFile takes address, credentials, inbox prefix and TLS files from the
// context file that was issued with the credentials. An address given to Connect wins.
func WithContextFile(path string) Option {
	return func(s *settings) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read context: %w", err)
		}
		var f struct {
			URL   string `json:"url"`
			Creds string `json:"creds"`
			Inbox string `json:"inbox_prefix"`
			CA    string `json:"ca"`
			Cert  string `json:"cert"`
			Key   string `json:"key"`
		}
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("read context %s: %w", path, err)
		}
		if s.url == "" {
			s.url = f.URL
		}
		if err := WithInboxPrefix(f.Inbox)(s); err != nil {
			return fmt.Errorf("read context %s: %w", path, err)
		}
		if f.CA+f.Cert+f.Key != "" {
			if err := WithTLSFiles(f.CA, f.Cert, f.Key)(s); err != nil {
				return fmt.Errorf("read context %s: %w", path, err)
			}
		}
		return WithCredentials(f.Creds)(s)
	}
}

// WithTLSFiles connects over TLS with PEM files: ca holds the authorities of the
// broker's certificate, empty for the system's; cert and key are the reader's
// own, and both empty where the broker demands none. It is for the cell's HTTP
// API too. Renewed files are taken at the next connection.
func WithTLSFiles(ca, cert, key string) Option {
	return func(s *settings) error {
		config, err := transport.Client(transport.Files{CA: ca, Cert: cert, Key: key})
		if err != nil {
			return fmt.Errorf("set up TLS: %w", err)
		}
		s.tls = config
		return nil
	}
}

// WithCell insists that pictures are of this cell; without it they are of
// whatever cell the credential is for.
func WithCell(cell string) Option {
	return func(s *settings) error {
		if !subject.Word(cell) {
			return fmt.Errorf("%q is no cell", cell)
		}
		s.cell = cell
		return nil
	}
}

// WithName is shown to the operators of the broker.
func WithName(name string) Option {
	return func(s *settings) error {
		s.name = name
		return nil
	}
}

// WithLogger makes the client log; never a payload.
func WithLogger(log *zap.Logger) Option {
	return func(s *settings) error {
		if log == nil {
			return errors.New("logger is nil")
		}
		s.log = log
		return nil
	}
}

// WithNATS adds options of the NATS client, such as TLS.
func WithNATS(opts ...nats.Option) Option {
	return func(s *settings) error {
		s.more = append(s.more, opts...)
		return nil
	}
}
