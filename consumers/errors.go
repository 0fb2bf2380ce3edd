package consumers

import (
	"errors"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
)

// What a caller can do about each is said with it.
var (
	// ErrNotPermitted: the credential does not reach what was asked for, or it
	// does not exist; the broker does not say which. Ask the policy's owner.
	ErrNotPermitted = snapshot.ErrNotPermitted
	// ErrNoReader: the client does not know whose feeds to follow. Connect
	// with the inbox prefix that was issued with the credentials.
	ErrNoReader = errors.New("no reader: connect with the issued inbox prefix or context file")
	// ErrBadFilter: the filter can match nothing.
	ErrBadFilter = errors.New("filter matches nothing")
	// ErrClosed: the client or handle was closed.
	ErrClosed = errors.New("closed")
)
