package broker

import "errors"

var (
	// ErrRelabelled: a policy gives a cell another label. What is stored was
	// admitted under the old one: name a new cell instead.
	ErrRelabelled = errors.New("a cell's label cannot change")
	// ErrTight: less room is left on the disk than is kept in reserve. Free some.
	ErrTight = errors.New("room on the disk is short")
	// ErrStalled: the disk does not answer. Look at the disk.
	ErrStalled = errors.New("the disk stands still")
	// ErrClosed: the broker is closed.
	ErrClosed = errors.New("broker is closed")
)

// errStarting is why a guard is not ready that has not failed.
var errStarting = errors.New("it is starting")
