// Package folder makes folders that are there after a power cut. The name of a
// file is on disk when its folder was synced, and the folder's when the one above
// it was: a synced file in a folder that nobody synced is gone with it.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Make makes a folder with its parents, as os.MkdirAll does, and syncs every
// folder that names one of them. One that may not be opened was not made by us.
func Make(path string, perm fs.FileMode) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(path, perm); err != nil {
		return err
	}
	for {
		above := filepath.Dir(path)
		if above == path {
			return nil
		}
		if err := Sync(above); errors.Is(err, fs.ErrPermission) {
			return nil
		} else if err != nil {
			return err
		}
		path = above
	}
}

// Sync puts the names in a folder on disk, or the content of a file. A file system that cannot sync a
// folder (EINVAL) keeps them otherwise or not at all.
func Sync(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// SyncTree does it for a folder and all beneath it, with the files that are
// named so. What goes away meanwhile needs no sync.
func SyncTree(root string, files func(name string) bool) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && (e.IsDir() || e.Type().IsRegular() && files(e.Name())) {
			err = Sync(path)
		}
		if errors.Is(err, fs.ErrNotExist) && path != root {
			return nil
		}
		return err
	})
}

// Write replaces a file, whole or not at all; it is on disk, under its name, when
// Write returns.
func Write(path string, data []byte) error {
	f, err := os.OpenFile(path+Unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+Unfinished, path); err != nil {
		return err
	}
	return Sync(filepath.Dir(path))
}

// Unfinished ends the name of a file that Write has not finished.
const Unfinished = ".new"
