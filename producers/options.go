package producers

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Option sets up a Client. An option that cannot be honoured fails Connect.
type Option func(*settings) error

type settings struct {
	cell    string
	window  int
	retry   time.Duration
	attempt time.Duration
	inbox   string
	auth    nats.Option
	more    []nats.Option
	log     *slog.Logger
	extract bool
}

// MinRetry is the shortest retry window: a broker that fails over is back within it.
const MinRetry = 15 * time.Second

// WithCredentials signs in with the credentials file that the broker's operator
// issued. It is read again at every reconnection: a file that was renewed or
// rotated in its place is taken up by itself.
func WithCredentials(file string) Option {
	return func(s *settings) error {
		token, seed, err := readCredentials(file)
		if err != nil {
			return err
		}
		if err := WithJWT(token, seed)(s); err != nil {
			return err
		}
		s.auth = nats.UserCredentials(file)
		return nil
	}
}

func readCredentials(file string) (token, seed string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("read credentials: %w", err)
	}
	token, seed, err = splitCredentials(data)
	if err != nil {
		return "", "", fmt.Errorf("read credentials %s: %w: %w", file, ErrCredential, err)
	}
	return token, seed, nil
}

// WithJWT signs in with a user JWT and the seed of its key.
func WithJWT(token, seed string) Option {
	return func(s *settings) error {
		name, err := userName(token)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCredential, err)
		}
		if !subject.Word(name) {
			return fmt.Errorf("%w: its user name %q is no word", ErrCredential, name)
		}
		s.auth, s.inbox = nats.UserJWTAndSeed(token, seed), name
		return nil
	}
}

// WithExtraction adds to every report that Publish and PublishAsync send what
// its title and narrative say, marked as extracted; see package narrative. The
// report that is handed in stays as it is. The same report and version of this
// module give the same bytes; after an upgrade whose rules find more, a report
// that is sent again under the same revision is refused as a conflict: send it
// as a new revision, or leave what is stored.
func WithExtraction() Option {
	return func(s *settings) error {
		s.extract = true
		return nil
	}
}

// WithCell names the cell of the credential, for messages only: a credential
// belongs to one cell.
func WithCell(cell string) Option {
	return func(s *settings) error {
		if !subject.Word(cell) {
			return fmt.Errorf("cell %q: use 2 to 32 of a-z, 0-9 and '-'", cell)
		}
		s.cell = cell
		return nil
	}
}

// WithWindow is how many reports may be on their way at once (1024). Publish
// and PublishAsync wait when it is full.
func WithWindow(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > 1<<16 {
			return fmt.Errorf("window of %d: use 1 to %d", n, 1<<16)
		}
		s.window = n
		return nil
	}
}

// WithRetry is for how long an unanswered report is sent again (20 s), at
// least MinRetry.
func WithRetry(d time.Duration) Option {
	return func(s *settings) error {
		if d < MinRetry {
			return fmt.Errorf("retry for %s: use at least %s, a broker that fails over takes that long", d, MinRetry)
		}
		s.retry = d
		return nil
	}
}

// WithAttempt is how long one attempt waits for its answer (2 s).
func WithAttempt(d time.Duration) Option {
	return func(s *settings) error {
		if d < 100*time.Millisecond || d > MinRetry {
			return fmt.Errorf("attempt of %s: use 100ms to %s", d, MinRetry)
		}
		s.attempt = d
		return nil
	}
}

// WithTLS connects over TLS.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error {
		if config == nil {
			return fmt.Errorf("no TLS configuration")
		}
		s.more = append(s.more, nats.Secure(config))
		return nil
	}
}

// WithTLSFiles connects over TLS with PEM files: ca holds the authorities of the
// broker's certificate, empty for the system's; cert and key are the agency's
// own, which a broker demands of agencies on other machines. Renewed files are
// taken at the next connection.
func WithTLSFiles(ca, cert, key string) Option {
	return func(s *settings) error {
		config, err := transport.Client(transport.Files{CA: ca, Cert: cert, Key: key})
		if err != nil {
			return fmt.Errorf("set up TLS: %w", err)
		}
		return WithTLS(config)(s)
	}
}

// WithLogger logs reconnects and retries; without it the client logs nothing.
// No report is ever logged.
func WithLogger(log *slog.Logger) Option {
	return func(s *settings) error {
		if log == nil {
			return fmt.Errorf("no logger")
		}
		s.log = log
		return nil
	}
}
