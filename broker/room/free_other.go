//go:build !linux

package room

// Of says how much room the disk has that holds a folder.
func Of(string) (Space, error) { return Space{}, ErrUnknown }
