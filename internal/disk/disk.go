//go:build linux

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Names says when the name of a file or folder is on disk.
type Names int

const (
	// PerFolder is what POSIX promises and no more: a name is on disk when its
	// folder was synced. The zero value: the hardest.
	PerFolder Names = iota
	// Logged is what ext4 and XFS do: changes of names are written in their
	// order, and the sync of any file or folder writes all there are.
	Logged
)

// Survival is what becomes of bytes and names that were not synced.
type Survival int

const (
	// Nothing of them survives.
	Nothing Survival = iota
	// Torn: a seeded choice of them does, down to single sectors.
	Torn
	// Everything does, as when only the process died.
	Everything
)

// Config of a disk. The zero value will do.
type Config struct {
	Names Names
	// Seed of what survives.
	Seed uint64
	// Capacity in bytes of file content; 0 is 64 GiB.
	Capacity int64
	// MaxWrite is the most bytes of one write operation; longer ones are several. 0 is 128 KiB.
	MaxWrite int
}

const defaultCapacity = 64 << 30

// Disk is a mounted disk. Its methods may be called at the same time.
type Disk struct {
	cfg    Config
	dir    string
	server *fuse.Server

	mu       sync.Mutex // over everything below, and every node
	rng      *rand.Rand
	root     *node
	nodes    map[uint64]*node
	last     uint64
	journal  journal
	used     int64
	capacity int64
	readOnly bool
	slow     time.Duration
	stalled  chan struct{} // nil while nothing is stalled
	off      bool
	gone     chan struct{} // closed with the power
	rules    []*Armed
	done     map[Op]int
	listings map[uint64][]fuse.DirEntry
	handle   uint64
}

// Available says what a disk lacks here; nil when one can be opened.
func Available() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("simulated disk: /dev/fuse cannot be opened (%w): load the module fuse, or give the container --device /dev/fuse", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("simulated disk: %w", err)
	}
	if os.Geteuid() != 0 {
		return errors.New("simulated disk: mounting needs root: run as root, or give the container --cap-add SYS_ADMIN")
	}
	return nil
}

// Open mounts an empty disk on a folder of its own. Close unmounts it.
func Open(cfg Config) (*Disk, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	removeStale()
	dir, err := os.MkdirTemp("", mountPrefix)
	if err != nil {
		return nil, fmt.Errorf("open disk: %w", err)
	}
	if cfg.Capacity == 0 {
		cfg.Capacity = defaultCapacity
	}
	d := &Disk{
		cfg: cfg, dir: dir, rng: rand.New(rand.NewPCG(cfg.Seed, 0x9e3779b97f4a7c15)), nodes: map[uint64]*node{}, last: fuse.FUSE_ROOT_ID,
		capacity: cfg.Capacity, gone: make(chan struct{}), done: map[Op]int{}, listings: map[uint64][]fuse.DirEntry{},
	}
	d.root = &node{id: fuse.FUSE_ROOT_ID, mode: syscall.S_IFDIR | 0o755, names: map[string]*node{}, kept: map[string]*node{}, links: 1, changed: time.Now()}
	d.nodes[d.root.id] = d.root
	if err := d.mount(); err != nil {
		return nil, errors.Join(fmt.Errorf("open disk: %w", err), os.Remove(dir))
	}
	return d, nil
}

// Path is the folder that the disk is mounted on.
func (d *Disk) Path() string { return d.dir }

// Cut cuts the power: every operation from now on fails with EIO, what s says of
// what was not synced is gone. Kill the processes, then call Power.
func (d *Disk) Cut(s Survival) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut(s)
}

// Gone is closed when the power is cut. After Power it is another channel.
func (d *Disk) Gone() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gone
}

// cut is Cut; the caller holds mu.
func (d *Disk) cut(s Survival) {
	if d.off {
		return
	}
	d.off = true
	close(d.gone)
	d.journal.cut(d.cfg.Names, s, d.rng)
	d.nodes, d.used = map[uint64]*node{}, 0
	d.keep(d.root, nil, "", s)
}

// keep makes a node and all beneath it what is on disk, in a settled order: the
// choices of a seed do not depend on the order of a map.
func (d *Disk) keep(n, parent *node, name string, s Survival) {
	if d.nodes[n.id] == n {
		n.links++
		return
	}
	d.nodes[n.id] = n
	n.links, n.lookups, n.parent, n.name = 1, 0, parent, name
	if n.isFile() {
		n.cut(s, d.rng)
		d.used += int64(len(n.data))
	}
	n.names = make(map[string]*node, len(n.kept))
	for _, name := range sortedNames(n.kept) {
		child := n.kept[name]
		n.names[name] = child
		d.keep(child, n, name, s)
	}
}

// Power brings the disk back as the cut left it, mounted on the same folder, free
// of faults and rules. The processes that used it must have ended.
func (d *Disk) Power() error {
	d.mu.Lock()
	off := d.off
	d.mu.Unlock()
	if !off {
		return errors.New("power the disk: it was not cut")
	}
	d.unmount()
	d.mu.Lock()
	for _, a := range d.rules {
		a.disarm()
	}
	d.rules, d.off, d.gone = nil, false, make(chan struct{})
	d.readOnly, d.slow, d.stalled, d.capacity = false, 0, nil, d.cfg.Capacity
	d.listings, d.done = map[uint64][]fuse.DirEntry{}, map[Op]int{}
	d.mu.Unlock()
	if err := d.mount(); err != nil {
		return fmt.Errorf("power the disk: %w", err)
	}
	return nil
}

// Close unmounts the disk, whoever still uses it, and forgets what it held. It
// may be called twice.
func (d *Disk) Close() error {
	d.Cut(Nothing)
	d.unmount()
	if err := os.Remove(d.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("close disk: %w", err)
	}
	return nil
}

// Arm puts a rule in force, after those there are.
func (d *Disk) Arm(r Rule) *Armed {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &Armed{disk: d, rule: r, fired: make(chan struct{}), freed: make(chan struct{})}
	d.rules = append(d.rules, a)
	return a
}

// Full leaves room for so many more bytes; a write that does not fit is cut
// short, then ENOSPC. Negative takes the limit away.
func (d *Disk) Full(left int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = d.cfg.Capacity
	if left >= 0 {
		d.capacity = d.used + left
	}
}

// ReadOnly makes everything that would store fail with EROFS.
func (d *Disk) ReadOnly(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readOnly = on
}

// Stall holds up every operation until release, Cut or Close. A process that is
// killed meanwhile ends.
func (d *Disk) Stall() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wait := make(chan struct{})
	d.stalled = wait
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.stalled == wait {
			d.stalled = nil
		}
		close(wait)
	})
}

// SlowSync makes every sync of a file or folder take so much longer.
func (d *Disk) SlowSync(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slow = by
}

// Count is how many operations of a set were done since the power came.
func (d *Disk) Count(ops Op) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for op, times := range d.done {
		if op&ops != 0 {
			n += times
		}
	}
	return n
}

// Used is how many bytes processes see in files.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}
