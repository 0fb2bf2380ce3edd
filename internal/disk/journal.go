//go:build linux

package disk

import (
	"math/rand/v2"
)

// entry is what one name of a folder becomes; a nil node is no name at all.
type entry struct {
	folder *node
	name   string
	node   *node
}

// change is one operation on names: its entries reach the disk together.
type change []entry

// journal is the changes of names that are not on disk, in their order.
type journal []change

// touches says whether a change has to do with a folder.
func (c change) touches(folders map[*node]bool) bool {
	for _, e := range c {
		if folders[e.folder] {
			return true
		}
	}
	return false
}

func (c change) apply() {
	for _, e := range c {
		if e.node == nil {
			delete(e.folder.kept, e.name)
		} else {
			e.folder.kept[e.name] = e.node
		}
	}
}

// commit puts every change on disk.
func (j *journal) commit() {
	for _, c := range *j {
		c.apply()
	}
	*j = nil
}

// commitFolder puts the first n changes on disk as far as they have to do with a
// folder, with those of other folders that one operation ties to them.
func (j *journal) commitFolder(folder *node, n int) {
	folders, taken := map[*node]bool{folder: true}, make([]bool, n)
	for i := n - 1; i >= 0; i-- {
		if c := (*j)[i]; c.touches(folders) {
			taken[i] = true
			for _, e := range c {
				folders[e.folder] = true
			}
		}
	}
	left := (*j)[:0:0]
	for i, c := range *j {
		if i < n && taken[i] {
			c.apply()
		} else {
			left = append(left, c)
		}
	}
	*j = left
}

// cut lets some of the changes reach the disk: with a log of names a prefix of
// them, without one a prefix of those of each folder.
func (j *journal) cut(names Names, s Survival, rng *rand.Rand) {
	switch {
	case s == Everything:
		j.commit()
	case s == Nothing || len(*j) == 0:
	case names == Logged:
		for _, c := range (*j)[:rng.IntN(len(*j)+1)] {
			c.apply()
		}
	default:
		for i := len(*j); i > 0; i-- {
			if i <= len(*j) && rng.IntN(2) == 0 {
				j.commitFolder((*j)[i-1][0].folder, i)
			}
		}
	}
	*j = nil
}
