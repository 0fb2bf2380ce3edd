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
	// ErrNoAPI: what the picture was is asked of the cell's HTTP API. Connect
	// with WithAPI.
	ErrNoAPI = errors.New("the past is asked of the cell's HTTP API: connect with its address and a token")
	// ErrFuture: the time has not come by the clock of the picture, its tick.
	ErrFuture = errors.New("the time lies ahead of the picture's clock")
	// ErrBefore: nothing that the cell reads is of that time or earlier.
	ErrBefore = errors.New("nothing was stored by then")
	// ErrTooLong: the cell would have to read too many reports again. Ask for a
	// time whose frames are stored, or when the machine has less to do.
	ErrTooLong = errors.New("reading the reports of by then again takes too long")
	// ErrClosed: the client or handle was closed.
	ErrClosed = errors.New("closed")
)
