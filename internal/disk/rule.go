//go:build linux

package disk

import (
	"path"
	"strings"
	"syscall"
	"time"
)

// Op is a set of operations.
type Op uint

// The operations. A write to a file opened with O_SYNC or O_DSYNC is a Write
// and then a Sync.
const (
	Create Op = 1 << iota // of a file, folder or link
	Write
	Truncate
	Sync
	SyncFolder
	Rename // the path is the new one
	Remove
	Read
)

// Changes are the operations that change what processes see.
const Changes = Create | Write | Truncate | Rename | Remove

// Stores are the operations that bring something nearer to the disk.
const Stores = Changes | Sync | SyncFolder

var opNames = []string{"create", "write", "truncate", "sync", "sync folder", "rename", "remove", "read"}

func (o Op) String() string {
	var out []string
	for i, name := range opNames {
		if o&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, "|")
}

// Event is one operation as rules see it.
type Event struct {
	Op   Op
	Path string // from the root of the disk, without a slash before it
	Size int64  // bytes of a write
	End  int64  // where a write or truncation ends in the file
}

// When a rule strikes.
type When int

// The times. The zero value is before.
const (
	Before When = iota // the operation is not done
	After              // it is done, and the process is told that it failed
)

// Rule says what happens at an operation.
type Rule struct {
	Ops Op // none is every operation
	// Path is compared element by element, as path.Match does, with the last
	// elements of the operation's; empty is any.
	Path string
	Size int64 // a write of at least so many bytes
	End  int64 // a write or truncation that ends there or beyond
	// Nth of the operations that match, from 1; 0 is 1.
	Nth  int
	When When
	Do   Action
}

// Action is what a rule does; make one by Cut, Fail or Hold.
type Action struct {
	kind     actionKind
	survival Survival
	errno    syscall.Errno
	times    int
}

type actionKind int

const (
	actCut actionKind = iota + 1
	actFail
	actHold
)

// Cut cuts the power.
func Cut(s Survival) Action { return Action{kind: actCut, survival: s} }

// Fail fails so many matching operations, from the Nth on; 0 is all of them.
func Fail(errno syscall.Errno, times int) Action {
	return Action{kind: actFail, errno: errno, times: times}
}

// Hold holds the operation up until Armed.Disarm, Disk.Cut or Disk.Close.
func Hold() Action { return Action{kind: actHold, times: 1} }

// Armed is a rule in force.
type Armed struct {
	disk  *Disk
	rule  Rule
	seen  int
	fired chan struct{}
	event Event
	freed chan struct{} // of Hold
	spent bool
}

// Fired is closed when the rule has struck for the first time.
func (a *Armed) Fired() <-chan struct{} { return a.fired }

// Event is the operation that the rule struck first; read it after Fired.
func (a *Armed) Event() Event {
	a.disk.mu.Lock()
	defer a.disk.mu.Unlock()
	return a.event
}

// Disarm ends the rule and lets go what it holds.
func (a *Armed) Disarm() {
	a.disk.mu.Lock()
	defer a.disk.mu.Unlock()
	a.disarm()
}

func (a *Armed) disarm() {
	a.spent = true
	select {
	case <-a.freed:
	default:
		close(a.freed)
	}
}

// matches says whether an operation is one that the rule counts.
func (r *Rule) matches(ev Event) bool {
	return (r.Ops == 0 || r.Ops&ev.Op != 0) && ev.Size >= r.Size && ev.End >= r.End && matchTail(r.Path, ev.Path)
}

// matchTail compares the elements of a pattern with the last ones of a path.
func matchTail(pattern, p string) bool {
	if pattern == "" {
		return true
	}
	want, have := strings.Split(pattern, "/"), strings.Split(p, "/")
	if len(want) > len(have) {
		return false
	}
	have = have[len(have)-len(want):]
	for i, w := range want {
		if ok, err := path.Match(w, have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// counts tells the rule of an operation and says whether it strikes.
func (a *Armed) counts(ev Event, when When) bool {
	r := &a.rule
	if a.spent || r.When != when || !r.matches(ev) {
		return false
	}
	if a.seen++; a.seen < max(r.Nth, 1) {
		return false
	}
	if a.seen == max(r.Nth, 1) {
		a.event = ev
		close(a.fired)
	}
	if t := r.Do.times; r.Do.kind == actCut || t > 0 && a.seen-max(r.Nth, 1)+1 >= t {
		a.spent = true
	}
	return true
}

// strike applies the rules to an operation. The caller holds mu; while a rule
// holds the operation up, nobody does.
func (d *Disk) strike(cancel <-chan struct{}, ev Event, when When) syscall.Errno {
	for _, a := range d.rules {
		if !a.counts(ev, when) {
			continue
		}
		switch a.rule.Do.kind {
		case actCut:
			d.cut(a.rule.Do.survival)
			return syscall.EIO
		case actFail:
			return a.rule.Do.errno
		case actHold:
			if errno := d.hold(cancel, a.freed); errno != 0 {
				return errno
			}
		}
	}
	return 0
}

// hold waits without the lock until freed, or the power or the process is gone.
func (d *Disk) hold(cancel <-chan struct{}, freed <-chan struct{}) syscall.Errno {
	gone := d.gone
	d.mu.Unlock()
	defer d.mu.Lock()
	select {
	case <-freed:
		return 0
	case <-gone:
		return syscall.EIO
	case <-cancel:
		return syscall.EINTR
	}
}

// do runs one operation under the rules and faults in force.
func (d *Disk) do(cancel <-chan struct{}, ev Event, op func() syscall.Errno) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return syscall.EIO
	}
	if ev.Op&(Sync|SyncFolder) != 0 && d.slow > 0 {
		wait := make(chan struct{})
		t := time.AfterFunc(d.slow, func() { close(wait) })
		defer t.Stop()
		if errno := d.hold(cancel, wait); errno != 0 {
			return errno
		}
	}
	if d.stalled != nil {
		if errno := d.hold(cancel, d.stalled); errno != 0 {
			return errno
		}
	}
	if d.off {
		return syscall.EIO
	}
	if errno := d.strike(cancel, ev, Before); errno != 0 {
		return errno
	}
	switch {
	case d.off:
		return syscall.EIO
	case d.readOnly && ev.Op&Stores != 0:
		return syscall.EROFS
	}
	d.done[ev.Op]++
	if errno := op(); errno != 0 {
		return errno
	}
	return d.strike(cancel, ev, After)
}
