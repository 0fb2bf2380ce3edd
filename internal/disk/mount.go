//go:build linux

package disk

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

const (
	mountPrefix = "watchfloor-disk-"
	fsType      = "watchfloor-disk"
)

// mount serves the disk on its folder.
func (d *Disk) mount() error {
	// A child that inherited /dev/fuse would keep the mount alive after us, with
	// nobody to answer: no child is started between the two.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	s, err := fuse.NewServer(&served{RawFileSystem: fuse.NewDefaultRawFileSystem(), d: d}, d.dir, &fuse.MountOptions{
		FsName: fsType + ":" + strconv.Itoa(os.Getpid()), Name: fsType, DirectMountStrict: true, DirectMountFlags: syscall.MS_NOSUID | syscall.MS_NODEV,
		DisableXAttrs: true, DisableReadDirPlus: true, DisableSplice: true, MaxWrite: d.cfg.MaxWrite,
	})
	if err != nil {
		return fmt.Errorf("mount %s: %w", d.dir, err)
	}
	closeOnExec()
	go s.Serve()
	if err := s.WaitMount(); err != nil {
		d.server = s
		d.unmount()
		return fmt.Errorf("mount %s: %w", d.dir, err)
	}
	d.server = s
	return nil
}

// closeOnExec keeps this process's descriptors of /dev/fuse from its children:
// go-fuse opens them for a direct mount without the flag.
func closeOnExec() {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == "/dev/fuse" {
			if fd, err := strconv.Atoi(e.Name()); err == nil {
				syscall.CloseOnExec(fd)
			}
		}
	}
}

// unmount takes the mount away, whoever still uses it, and ends serving.
func (d *Disk) unmount() {
	if d.server == nil {
		return
	}
	_ = detach(d.dir) // what is not mounted any more needs no unmounting
	d.server.Wait()
	d.server = nil
}

// detach aborts what is under way on a mount and takes it away.
func detach(dir string) error {
	return syscall.Unmount(dir, syscall.MNT_FORCE|syscall.MNT_DETACH)
}

// removeStale takes away the mounts of processes that died without doing so:
// they answer everything with ENOTCONN.
func removeStale() {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		at := len(fields) - 3 // type, source, options
		if at < 6 || fields[at] != "fuse."+fsType {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimPrefix(fields[at+1], fsType+":"))
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		if dir := fields[4]; detach(dir) == nil {
			_ = os.Remove(dir) // an empty folder is all that is left of it
		}
	}
}
