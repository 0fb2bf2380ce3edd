//go:build linux

package disk

import (
	"syscall"
	"time"
)

// node is a file, folder or symbolic link.
type node struct {
	id      uint64
	mode    uint32 // with the type
	uid     uint32
	gid     uint32
	changed time.Time
	links   int

	content                  // of a file
	target  string           // of a symbolic link
	names   map[string]*node // of a folder: what processes see
	kept    map[string]*node // and what is on disk
	parent  *node            // where it was named last
	name    string
	lookups uint64 // references the kernel holds
}

func (n *node) isFolder() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }
func (n *node) isFile() bool   { return n.mode&syscall.S_IFMT == syscall.S_IFREG }

// path is from the root, by the name it was given last.
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	if p := n.parent.path(); p != "" {
		return p + "/" + n.name
	}
	return n.name
}

func (n *node) child(name string) string {
	if p := n.path(); p != "" {
		return p + "/" + name
	}
	return name
}

// create makes a node under a name that is free.
func (d *Disk) create(in *node, name string, mode uint32, uid, gid uint32) *node {
	d.last++
	n := &node{id: d.last, mode: mode, uid: uid, gid: gid, changed: time.Now()}
	if n.isFolder() {
		n.names, n.kept = map[string]*node{}, map[string]*node{}
	}
	d.nodes[n.id] = n
	d.bind(change{{in, name, n}})
	return n
}

// bind changes names as processes see them, and notes it for the disk.
func (d *Disk) bind(c change) {
	now := time.Now()
	for _, e := range c {
		if old := e.folder.names[e.name]; old != nil {
			old.links--
			d.drop(old)
		}
		if e.node == nil {
			delete(e.folder.names, e.name)
		} else {
			e.folder.names[e.name] = e.node
			e.node.links++
			e.node.parent, e.node.name = e.folder, e.name
		}
		e.folder.changed = now
	}
	d.journal = append(d.journal, c)
}

// drop forgets a node that nobody sees any more. The journal may still hold it.
func (d *Disk) drop(n *node) {
	if n.links > 0 || n == d.root {
		return
	}
	if _, there := d.nodes[n.id]; there && n.lookups == 0 {
		d.used -= int64(len(n.data))
		delete(d.nodes, n.id)
	}
}
