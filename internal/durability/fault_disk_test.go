//go:build linux

package durability_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/internal/disk"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// The disk fills to the last byte under load. Senders are told so and keep what
// they have; when there is room again the broker opens its store by itself, in
// the same process, and everything goes on.
func TestFullDiskIsLeftAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, &disk.Config{Names: disk.Logged})
	s.start()
	l := newLoad(s, 5*time.Second)
	l.more(100)
	at := s.up.heard()
	s.disk.Full(200 << 10)
	s.up.says(t, at, "ill the store is frozen")
	l.wait("senders are told to try again", func() bool { return l.answered(admission.StorageFull, admission.Unavailable) > 0 })
	at = s.up.heard()
	s.disk.Full(-1)
	s.up.says(t, at, "well restarts 1")
	l.more(200)
	l.stop()
	l.verify(s.stored())
	s.picture(l)
}

// With a reserve the store never meets the end of the disk: senders are turned
// away before, nothing freezes, and they are let in again when there is room.
func TestReserveKeepsTheStoreFromFreezing(t *testing.T) {
	t.Parallel()
	s := newSite(t, &disk.Config{Capacity: 512 << 20})
	s.cfg.Reserve = 64 << 20
	s.start()
	l := newLoad(s, 5*time.Second)
	l.more(100)
	at := s.up.heard()
	s.disk.Full(32 << 20)
	s.up.says(t, at, "ill room on the disk is short")
	l.wait("senders are told that the disk is full", func() bool { return l.answered(admission.StorageFull) >= 20 })
	used := s.disk.Used()
	turned := l.answered(admission.StorageFull)
	l.wait("many more are turned away", func() bool { return l.answered(admission.StorageFull) >= turned+50 })
	if grown := s.disk.Used() - used; grown > 4<<20 {
		t.Errorf("the store grew by %d bytes while it takes nothing", grown)
	}
	// A little more than the reserve is not enough: it would flap.
	at = s.up.heard()
	s.disk.Full(-1)
	s.up.says(t, at, "well restarts 0")
	l.more(100)
	l.stop()
	l.verify(s.stored())
}

// A sync fails once: the server counts the reports as stored, but they may not
// be on the disk. Nobody is told that they are; after a power cut everything that
// was acknowledged is there.
func TestFailedSyncAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, &disk.Config{Names: disk.Logged})
	s.start()
	l := newLoad(s, 5*time.Second)
	l.more(100)
	at := s.up.heard()
	failing := s.disk.Arm(disk.Rule{Ops: disk.Sync, Path: "REPORTS/msgs/*.blk", Do: disk.Fail(syscall.EIO, 0)})
	<-failing.Fired()
	s.up.says(t, at, "ill the store is frozen")
	// Senders send what was under way again and again: time to be told something wrong.
	told, before := l.answered(admission.Unavailable), l.count()
	wrong := func() bool { return l.count() > before+window*len(senders) }
	l.wait("senders are told to try again", func() bool { return l.answered(admission.Unavailable) >= told+50 || wrong() })
	if wrong() {
		t.Errorf("%d reports were acknowledged while no sync succeeded", l.count()-before)
	}
	s.disk.Cut(disk.Nothing)
	s.up.kill()
	must(t, s.disk.Power())
	s.start()
	l.more(100)
	l.stop()
	l.verify(s.stored())
}

// The same, and the disk recovers without a restart of anything: the store is
// opened again, and what the system forgot to write is written.
func TestFailedSyncIsLeftAgain(t *testing.T) {
	long(t)
	t.Parallel()
	s := newSite(t, &disk.Config{Names: disk.Logged})
	s.start()
	l := newLoad(s, 5*time.Second)
	l.more(100)
	at := s.up.heard()
	<-s.disk.Arm(disk.Rule{Ops: disk.Sync, Path: "REPORTS/msgs/*.blk", Do: disk.Fail(syscall.EIO, 1)}).Fired()
	s.up.says(t, at, "well restarts 1")
	l.more(100)
	s.disk.Cut(disk.Nothing)
	s.up.kill()
	must(t, s.disk.Power())
	s.start()
	l.more(100)
	l.stop()
	l.verify(s.stored())
	s.picture(l)
}

// The disk turns read-only, as a file system does that has met an error. While
// it is, a start is refused with what to do.
func TestReadOnlyDisk(t *testing.T) {
	long(t)
	t.Parallel()
	s := newSite(t, &disk.Config{Names: disk.Logged})
	s.start()
	l := newLoad(s, 5*time.Second)
	l.more(100)
	at := s.up.heard()
	s.disk.ReadOnly(true)
	s.up.says(t, at, "ill the store is frozen")
	l.wait("senders are told to try again", func() bool { return l.answered(admission.StorageFull, admission.Unavailable) > 0 })
	s.up.kill()
	s.spawn(s.cfg).says(t, 0, "failed open broker")
	s.disk.ReadOnly(false)
	s.start()
	l.more(50)
	at = s.up.heard()
	s.disk.ReadOnly(true)
	s.up.says(t, at, "ill the store is frozen")
	at = s.up.heard()
	s.disk.ReadOnly(false)
	s.up.says(t, at, "well restarts 1")
	l.more(50)
	l.stop()
	l.verify(s.stored())
	s.picture(l)
}

// The disk stands still: senders are told to try again before a stock client
// gives up, nothing is acknowledged, memory is bounded, health says so. Then it
// goes on, in the same process.
func TestStalledDisk(t *testing.T) {
	t.Parallel()
	s := newSite(t, &disk.Config{Names: disk.Logged})
	s.start()
	l := newLoad(s, time.Minute)
	l.more(100)
	at := s.up.heard()
	release := s.disk.Stall()
	defer release()
	before := l.count()
	s.up.says(t, at, "ill the disk stands still")
	l.wait("senders are told to try again", func() bool { return l.answered(admission.Unavailable) >= 100 })
	if n := l.count() - before; n > window*len(senders) {
		t.Errorf("%d reports were acknowledged while the disk stood still", n)
	}
	at = s.up.heard()
	release()
	s.up.says(t, at, "well restarts 0")
	l.more(100)
	l.stop()
	if l.silent > 0 {
		t.Errorf("%d attempts got no answer in a minute", l.silent)
	}
	l.verify(s.stored())
	s.picture(l)
}
