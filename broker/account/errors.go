package account

import "errors"

var (
	// ErrUnknown: the policy knows no such principal in that cell. Correct the
	// name, or have the policy's owner add it.
	ErrUnknown = errors.New("not in the policy")
	// ErrUnsafeKeys: the keys directory is readable by others or lies inside
	// the data. Move it, or take the rights away.
	ErrUnsafeKeys = errors.New("keys are not safe")
	// ErrToken: a token is not ours, was changed, has expired, or its reader
	// is no longer cleared. Issue a new one.
	ErrToken = errors.New("token is not valid")
)
