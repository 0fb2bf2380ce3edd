//go:build linux

package disk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Entry is a file, folder or symbolic link as processes see it.
type Entry struct {
	Path string // from the root, without a slash before it
	Mode fs.FileMode
	Data []byte // of a file
	Link string // target of a symbolic link
}

// Entries lists everything on the disk without touching the mount, folders
// before what is in them; after a cut that is what was kept. The bytes of files
// are copied only if content is wanted.
func (d *Disk) Entries(content bool) []Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Entry
	var walk func(n *node)
	walk = func(n *node) {
		for _, name := range sortedNames(n.names) {
			x := n.names[name]
			e := Entry{Path: n.child(name), Mode: fs.FileMode(x.mode & 0o777), Link: x.target}
			switch {
			case x.isFolder():
				e.Mode |= fs.ModeDir
			case !x.isFile():
				e.Mode |= fs.ModeSymlink
			case content:
				e.Data = append([]byte(nil), x.data...)
			}
			out = append(out, e)
			walk(x)
		}
	}
	walk(d.root)
	return out
}

// Copy writes what Entries lists into a folder, to be looked at.
func (d *Disk) Copy(to string) error {
	for _, e := range d.Entries(true) {
		path := filepath.Join(to, e.Path)
		var err error
		switch {
		case e.Mode.IsDir():
			err = os.MkdirAll(path, e.Mode.Perm()|0o700)
		case e.Link != "":
			err = os.Symlink(e.Link, path)
		default:
			err = os.WriteFile(path, e.Data, e.Mode.Perm()|0o600)
		}
		if err != nil {
			return fmt.Errorf("copy disk: %w", err)
		}
	}
	return nil
}
