//go:build linux

package disk

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// served answers the kernel. It keeps nothing in the kernel's caches: every
// operation of a process is one here.
type served struct {
	fuse.RawFileSystem
	d *Disk
}

func (s *served) String() string { return fsType }

func sortedNames(m map[string]*node) []string { return slices.Sorted(maps.Keys(m)) }

// node is what the kernel means; nil when it is gone. The caller holds mu.
func (d *Disk) node(id uint64) *node { return d.nodes[id] }

// look runs what only looks: no fault but a stall and a missing power stops it.
func (d *Disk) look(cancel <-chan struct{}, id uint64, op func(*node) syscall.Errno) fuse.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stalled != nil && !d.off {
		if errno := d.hold(cancel, d.stalled); errno != 0 {
			return fuse.Status(errno)
		}
	}
	if d.off {
		return fuse.EIO
	}
	n := d.node(id)
	if n == nil {
		return fuse.Status(syscall.ESTALE)
	}
	return fuse.Status(op(n))
}

// change runs an operation on a name of a folder.
func (d *Disk) change(cancel <-chan struct{}, op Op, folder uint64, name string, do func(*node) syscall.Errno) fuse.Status {
	d.mu.Lock()
	in := d.node(folder)
	ev := Event{Op: op}
	if in != nil {
		ev.Path = in.child(name)
	}
	d.mu.Unlock()
	return fuse.Status(d.do(cancel, ev, func() syscall.Errno {
		if in == nil || !in.isFolder() {
			return syscall.ENOENT
		}
		return do(in)
	}))
}

// file runs an operation on a file.
func (d *Disk) file(cancel <-chan struct{}, op Op, id uint64, size, end int64, do func(*node) syscall.Errno) syscall.Errno {
	d.mu.Lock()
	n := d.node(id)
	ev := Event{Op: op, Size: size, End: end}
	if n != nil {
		ev.Path = n.path()
	}
	d.mu.Unlock()
	return d.do(cancel, ev, func() syscall.Errno {
		if n == nil {
			return syscall.ESTALE
		}
		return do(n)
	})
}

func (n *node) attr(out *fuse.Attr) {
	size := uint64(len(n.data))
	if n.target != "" {
		size = uint64(len(n.target))
	}
	*out = fuse.Attr{Ino: n.id, Size: size, Blocks: (size + 511) / 512, Mode: n.mode, Nlink: uint32(max(n.links, 0)), Blksize: 4096}
	out.Uid, out.Gid = n.uid, n.gid
	out.SetTimes(&n.changed, &n.changed, &n.changed)
}

// hand gives a node to the kernel, which holds a reference from then on.
func (n *node) hand(out *fuse.EntryOut) {
	n.lookups++
	out.NodeId, out.Generation = n.id, 1
	n.attr(&out.Attr)
}

func (s *served) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return s.d.look(cancel, h.NodeId, func(in *node) syscall.Errno {
		n := in.names[name]
		if n == nil {
			return syscall.ENOENT
		}
		n.hand(out)
		return 0
	})
}

func (s *served) Forget(id, times uint64) {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.node(id); n != nil && !d.off {
		n.lookups -= min(n.lookups, times)
		d.drop(n)
	}
}

func (s *served) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return s.d.look(cancel, in.NodeId, func(n *node) syscall.Errno {
		n.attr(&out.Attr)
		return 0
	})
}

// SetAttr: the size is content; mode and owner are on disk at once.
func (s *served) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	d := s.d
	if size, ok := in.GetSize(); ok {
		errno := d.file(cancel, Truncate, in.NodeId, 0, int64(size), func(n *node) syscall.Errno { return d.truncate(n, int64(size)) })
		if errno != 0 {
			return fuse.Status(errno)
		}
	}
	return d.look(cancel, in.NodeId, func(n *node) syscall.Errno {
		if mode, ok := in.GetMode(); ok {
			n.mode = n.mode&syscall.S_IFMT | mode&0o7777
		}
		if uid, ok := in.GetUID(); ok {
			n.uid = uid
		}
		if gid, ok := in.GetGID(); ok {
			n.gid = gid
		}
		if t, ok := in.GetMTime(); ok {
			n.changed = t
		}
		n.attr(&out.Attr)
		return 0
	})
}

// maxFile is far more than anything here needs, and less than the machine has.
const maxFile = 4 << 30

func (d *Disk) truncate(n *node, size int64) syscall.Errno {
	more := size - int64(len(n.data))
	switch {
	case size > maxFile:
		return syscall.EFBIG
	case more > 0 && d.used+more > d.capacity:
		return syscall.ENOSPC
	}
	n.truncate(size)
	n.changed = time.Now()
	d.used += more
	return 0
}

func (s *served) make(cancel <-chan struct{}, h *fuse.InHeader, name string, mode uint32, out *fuse.EntryOut, also func(*node)) fuse.Status {
	return s.d.change(cancel, Create, h.NodeId, name, func(in *node) syscall.Errno {
		if in.names[name] != nil {
			return syscall.EEXIST
		}
		n := s.d.create(in, name, mode, h.Uid, h.Gid)
		if also != nil {
			also(n)
		}
		n.hand(out)
		return 0
	})
}

func (s *served) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	if in.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return fuse.EPERM
	}
	return s.make(cancel, &in.InHeader, name, in.Mode, out, nil)
}

func (s *served) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.make(cancel, &in.InHeader, name, syscall.S_IFDIR|in.Mode&0o7777, out, nil)
}

func (s *served) Symlink(cancel <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return s.make(cancel, h, name, syscall.S_IFLNK|0o777, out, func(n *node) { n.target = target })
}

func (s *served) Readlink(cancel <-chan struct{}, h *fuse.InHeader) (out []byte, _ fuse.Status) {
	status := s.d.look(cancel, h.NodeId, func(n *node) syscall.Errno {
		out = []byte(n.target)
		return 0
	})
	return out, status
}

func (s *served) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return s.d.change(cancel, Create, in.NodeId, name, func(folder *node) syscall.Errno {
		n := s.d.node(in.Oldnodeid)
		switch {
		case n == nil:
			return syscall.ESTALE
		case folder.names[name] != nil:
			return syscall.EEXIST
		case n.isFolder():
			return syscall.EPERM
		}
		s.d.bind(change{{folder, name, n}})
		n.hand(out)
		return 0
	})
}

func (s *served) remove(cancel <-chan struct{}, h *fuse.InHeader, name string, folder bool) fuse.Status {
	return s.d.change(cancel, Remove, h.NodeId, name, func(in *node) syscall.Errno {
		n := in.names[name]
		switch {
		case n == nil:
			return syscall.ENOENT
		case folder && !n.isFolder():
			return syscall.ENOTDIR
		case !folder && n.isFolder():
			return syscall.EISDIR
		case folder && len(n.names) > 0:
			return syscall.ENOTEMPTY
		}
		s.d.bind(change{{in, name, nil}})
		return 0
	})
}

func (s *served) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return s.remove(cancel, h, name, false)
}

func (s *served) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return s.remove(cancel, h, name, true)
}

const renameNoReplace = 1

func (s *served) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	if in.Flags&^renameNoReplace != 0 {
		return fuse.EINVAL
	}
	return s.d.change(cancel, Rename, in.Newdir, newName, func(to *node) syscall.Errno {
		from := s.d.node(in.NodeId)
		if from == nil || from.names[oldName] == nil {
			return syscall.ENOENT
		}
		n, there := from.names[oldName], to.names[newName]
		switch {
		case n == there:
			return 0
		case there != nil && in.Flags&renameNoReplace != 0:
			return syscall.EEXIST
		case there != nil && there.isFolder() && !n.isFolder():
			return syscall.EISDIR
		case there != nil && !there.isFolder() && n.isFolder():
			return syscall.ENOTDIR
		case there != nil && len(there.names) > 0:
			return syscall.ENOTEMPTY
		}
		s.d.bind(change{{to, newName, n}, {from, oldName, nil}})
		return 0
	})
}

func (s *served) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	status := s.make(cancel, &in.InHeader, name, syscall.S_IFREG|in.Mode&0o7777, &out.EntryOut, nil)
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	return status
}

func (s *served) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	d := s.d
	if in.Flags&syscall.O_TRUNC != 0 {
		return fuse.Status(d.file(cancel, Truncate, in.NodeId, 0, 0, func(n *node) syscall.Errno { return d.truncate(n, 0) }))
	}
	return d.look(cancel, in.NodeId, func(*node) syscall.Errno {
		if d.readOnly && in.Flags&syscall.O_ACCMODE != syscall.O_RDONLY {
			return syscall.EROFS
		}
		return 0
	})
}

func (s *served) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	var got int
	errno := s.d.file(cancel, Read, in.NodeId, 0, 0, func(n *node) syscall.Errno {
		if in.Offset < uint64(len(n.data)) {
			got = copy(buf, n.data[in.Offset:])
		}
		return 0
	})
	return fuse.ReadResultData(buf[:got]), fuse.Status(errno)
}

// syncing are the flags of a file whose writes are syncs; O_SYNC holds O_DSYNC.
const syncing = syscall.O_DSYNC

func (s *served) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	d, off := s.d, int64(in.Offset)
	var wrote int
	errno := d.file(cancel, Write, in.NodeId, int64(len(data)), off+int64(len(data)), func(n *node) syscall.Errno {
		if in.Flags&syscall.O_APPEND != 0 {
			off = int64(len(n.data))
		}
		var errno syscall.Errno
		wrote, errno = d.write(n, data, off)
		return errno
	})
	if errno == 0 && in.Flags&syncing != 0 {
		errno = d.file(cancel, Sync, in.NodeId, 0, 0, d.sync)
	}
	if errno != 0 {
		return 0, fuse.Status(errno)
	}
	return uint32(wrote), fuse.OK
}

func (d *Disk) write(n *node, data []byte, off int64) (int, syscall.Errno) {
	if off+int64(len(data)) > maxFile {
		return 0, syscall.EFBIG
	}
	size := int64(len(n.data))
	if more := off + int64(len(data)) - size; more > 0 && d.used+more > d.capacity {
		fits := max(size+max(d.capacity-d.used, 0)-off, 0)
		if fits == 0 {
			return 0, syscall.ENOSPC
		}
		data = data[:fits]
	}
	n.write(data, off)
	n.changed = time.Now()
	d.used += int64(len(n.data)) - size
	return len(data), 0
}

// sync puts a file on disk and, with a log, the names there are.
func (d *Disk) sync(n *node) syscall.Errno {
	n.sync()
	if d.cfg.Names == Logged {
		d.journal.commit()
	}
	return 0
}

func (d *Disk) syncFolder(n *node) syscall.Errno {
	if d.cfg.Names == Logged {
		d.journal.commit()
	} else {
		d.journal.commitFolder(n, len(d.journal))
	}
	return 0
}

func (s *served) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return fuse.Status(s.d.file(cancel, Sync, in.NodeId, 0, 0, s.d.sync))
}

func (s *served) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return fuse.Status(s.d.file(cancel, SyncFolder, in.NodeId, 0, 0, s.d.syncFolder))
}

func (s *served) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

func (s *served) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status { return fuse.OK }

func (s *served) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	d := s.d
	return d.look(cancel, in.NodeId, func(n *node) syscall.Errno {
		d.handle++
		out.Fh = d.handle
		list := []fuse.DirEntry{{Name: ".", Mode: syscall.S_IFDIR, Ino: n.id}, {Name: "..", Mode: syscall.S_IFDIR, Ino: n.id}}
		for _, name := range sortedNames(n.names) {
			x := n.names[name]
			list = append(list, fuse.DirEntry{Name: name, Mode: x.mode, Ino: x.id})
		}
		d.listings[out.Fh] = list
		return 0
	})
}

func (s *served) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return s.d.look(cancel, in.NodeId, func(*node) syscall.Errno {
		list := s.d.listings[in.Fh]
		for i := in.Offset; i < uint64(len(list)); i++ {
			e := list[i]
			e.Off = i + 1
			if !out.AddDirEntry(e) {
				break
			}
		}
		return 0
	})
}

func (s *served) ReleaseDir(in *fuse.ReleaseIn) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	delete(s.d.listings, in.Fh)
}

func (s *served) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	d := s.d
	d.mu.Lock()
	defer d.mu.Unlock()
	const block = 4096
	free := uint64(max(d.capacity-d.used, 0)) / block
	*out = fuse.StatfsOut{Blocks: uint64(d.cfg.Capacity) / block, Bfree: free, Bavail: free, Files: 1 << 20, Ffree: 1 << 20, Bsize: block, Frsize: block, NameLen: 255}
	return fuse.OK
}
