package backup

import "errors"

var (
	// ErrDamaged: an archive is not what was written. Use another backup.
	ErrDamaged = errors.New("the archive is damaged")
	// ErrNewer: a newer release wrote the archive. Restore it with that one.
	ErrNewer = errors.New("the archive was written by a newer release")
	// ErrKey: the archive was sealed with another key. Name the copy of the keys
	// that belongs to it.
	ErrKey = errors.New("the archive is sealed with another key")
	// ErrMixed: archives do not belong together, or into this policy. Name those
	// of one backup, and the policy that they were made under.
	ErrMixed = errors.New("the archives do not belong together")
	// ErrNotEmpty: there is stored data already. Say that it may be put aside,
	// or restore elsewhere.
	ErrNotEmpty = errors.New("there is stored data already")
	// ErrDiffers: what was restored is not what the archive holds. It was not
	// put in place.
	ErrDiffers = errors.New("what was restored is not what was backed up")
)
