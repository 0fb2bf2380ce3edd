// Package disk is a disk whose power can be cut: a file system in memory,
// mounted by FUSE, that keeps two views of every file and folder. Processes see
// the one; the other is what the disk would hold if the power went now, which is
// what was synced, and of the rest whatever a seed lets survive.
//
// It also fails on demand: full, read-only, slow, stalled, or broken at a named
// operation. It is for tests: real processes run on it unchanged, are killed, and
// find after [Disk.Power] what a machine would find after a power cut. DESIGN.md
// says which disks it is like and which it is not.
//
// It needs Linux, root and /dev/fuse ([Available] says). The process that serves
// a disk should not itself do blocking work on its files: run what is tested as a
// child.
package disk
