package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/front"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/violation"
)

const (
	// recordEvery is how soon a refused attempt is on disk, and how rarely a
	// flood of them writes.
	recordEvery = 5 * time.Second
	// maxBearers is how many credentials are known by name before all are
	// looked up again.
	maxBearers = 4096
)

// violations are the records of what was refused, a book for each cell; that of
// the empty cell is for who holds the keys.
type violations struct {
	dir       string
	authority *account.Authority
	log       *zap.Logger
	now       func() time.Time

	mu      sync.Mutex
	books   map[string]*volume
	bearers map[string]account.Bearer // by the user's key
}

// volume is the book of a cell with what became of it.
type volume struct {
	*violation.Book
	dirty   bool
	counted map[string]uint64 // attempts since the start, by action
}

// ViolationsDir is where the records of violations lie in a data directory.
func ViolationsDir(dataDir string) string { return filepath.Join(dataDir, "violations") }

// ViolationsFile is the record of a cell; of an empty cell, that which is for
// who holds the keys.
func ViolationsFile(dataDir, cell string) string {
	if cell == "" {
		cell = "_keys" // which no cell can be called
	}
	return filepath.Join(ViolationsDir(dataDir), cell)
}

func newViolations(cfg Config, a *account.Authority) *violations {
	return &violations{
		dir: cfg.DataDir, authority: a, log: cfg.Log, now: cfg.Now, books: map[string]*volume{}, bearers: map[string]account.Bearer{},
	}
}

// violated counts a refused publish or subscription. It is called by the server
// while the client waits: it writes nothing.
func (v *violations) violated(x natsd.Violation) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b, ok := v.bearer(x)
	if !ok { // of whom nobody knows the label nobody but the keys' holder learns
		b = account.Bearer{Principal: account.Principal{Kind: "unknown", Name: "unknown"}, Cell: x.Account}
	}
	v.add(b.Home, violation.Attempt{
		Holder: violation.Holder{Principal: b.Principal.String(), Cell: b.Cell, User: b.User}, Key: x.User, Action: x.Action, Subject: x.Subject,
	})
}

// refused counts a refused sign-in: whoever it was, only the keys' holder learns.
func (v *violations) refused(x natsd.Refusal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.add("", violation.Attempt{Holder: violation.Holder{Principal: "address/" + x.Host}, Key: x.User, Action: "sign-in", Subject: x.User})
}

// outside counts what the front refused before the server saw it. Whose the
// credential is stands in it; nobody has shown yet that it is theirs.
func (v *violations) outside(r front.Refusal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	what := r.User
	if r.Reason == "protocol" {
		what = r.Err.Error()
	}
	v.add("", violation.Attempt{Holder: violation.Holder{Principal: "address/" + r.Host, Cell: r.Cell}, Key: r.User, Action: r.Reason, Subject: what})
}

// add counts an attempt in a book. The caller holds mu.
func (v *violations) add(home string, a violation.Attempt) {
	b := v.volume(home)
	b.Add(a, v.now().UTC())
	b.counted[a.Action]++
	b.dirty = true
}

// volume is the book of a cell, read from its file at first. What cannot be
// read is put aside: the record goes on. The caller holds mu.
func (v *violations) volume(cell string) *volume {
	if b := v.books[cell]; b != nil {
		return b
	}
	path := ViolationsFile(v.dir, cell)
	book, err := v.read(path, cell)
	if err != nil {
		v.log.Error("record of violations put aside", zap.String("cell", cell), zap.Error(errors.Join(err, os.Rename(path, path+".damaged"))))
		book = violation.NewBook()
	}
	b := &volume{Book: book, counted: map[string]uint64{}}
	v.books[cell] = b
	return b
}

func (v *violations) read(path, cell string) (*violation.Book, error) {
	key, err := v.authority.ViolationKey(cell)
	if err != nil {
		return nil, err
	}
	return violation.Read(path, cell, key)
}

// bearer is whose credential it is. The caller holds mu.
func (v *violations) bearer(x natsd.Violation) (account.Bearer, bool) {
	if b, ok := v.bearers[x.User]; ok && x.User != "" {
		return b, true
	}
	b, err := v.authority.Bearer(x.Token)
	if err != nil {
		return b, false
	}
	if len(v.bearers) >= maxBearers {
		clear(v.bearers)
	}
	v.bearers[x.User] = b
	return b, true
}

// forget looks bearers up again: their labels may have changed.
func (v *violations) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.bearers)
}

// keep writes every book that grew.
func (v *violations) keep() error {
	v.mu.Lock()
	var cells []string
	for cell, b := range v.books {
		if b.Forget(v.now()) || b.dirty {
			cells = append(cells, cell)
		}
	}
	v.mu.Unlock()
	var errs []error
	for _, cell := range cells {
		if err := v.write(cell); err != nil {
			errs = append(errs, fmt.Errorf("cell %q: %w", cell, err))
		}
	}
	return errors.Join(errs...)
}

func (v *violations) write(cell string) error {
	v.mu.Lock()
	lines := v.books[cell].Lines()
	v.books[cell].dirty = false
	v.mu.Unlock()
	key, err := v.authority.ViolationKey(cell)
	if err == nil {
		err = violation.Write(lines, ViolationsFile(v.dir, cell), cell, key)
	}
	if err != nil {
		v.mu.Lock()
		v.books[cell].dirty = true
		v.mu.Unlock()
	}
	return err
}

// recording writes the books now and then; the function that it returns ends
// it with everything written.
func (v *violations) recording() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	keep := func() {
		if err := v.keep(); err != nil {
			v.log.Error("violations not recorded", zap.Error(err))
		}
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				keep()
				return
			case <-time.After(recordEvery):
				keep()
			}
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

// Violations counts, since the start and by action, what credentials tried and
// were refused whose doings may be shown at the label of the cell.
func (b *Broker) Violations(cell string) map[string]uint64 {
	b.violations.mu.Lock()
	defer b.violations.mu.Unlock()
	out := map[string]uint64{"publish": 0, "subscribe": 0, "reply": 0}
	if v := b.violations.books[cell]; v != nil {
		for action, n := range v.counted {
			out[action] = n
		}
	}
	return out
}

// violated records a refused publish or subscription, and tells who wants to know.
func (b *Broker) violated(x natsd.Violation) {
	b.violations.violated(x)
	if b.cfg.OnViolation != nil {
		b.cfg.OnViolation(x)
	}
}
