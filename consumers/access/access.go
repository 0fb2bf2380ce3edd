// Package access keeps the record of who read what, when and for which
// purpose, in a form that whoever writes it cannot read and only the auditor
// can: 28 CFR 23.20 asks for need to know and right to know with every
// dissemination, and for an audit trail of it.
//
// A record says that a request was made, never what the answer held. It is on
// disk when Record returns; who cannot record does not answer. Every reader has
// a share of its own, so that none fills the disk, or pushes out what another
// did. It knows no HTTP and no policy.
package access

import (
	"errors"
	"time"
)

// What happened. The zero value is nothing, and is not recorded.
type What string

// What is recorded.
const (
	// Read: asked for and answered, within the minute that the record begins
	// perhaps more than once.
	Read What = "read"
	// Opened, Reading, Ended: a stream of changes, from the first to the last.
	Opened  What = "opened"
	Reading What = "reading"
	Ended   What = "ended"
)

// Record is one access. It names what was asked for, nothing of what it held.
type Record struct {
	Time   time.Time `json:"time"`
	Cell   string    `json:"cell"`
	Reader string    `json:"reader"`
	// Kind is person or service.
	Kind string `json:"kind"`
	// Token is the id of the token.
	Token   string `json:"token"`
	Purpose string `json:"purpose"`
	What    What   `json:"what"`
	// Endpoint is the pattern of the path: "/v1/situations/{id}".
	Endpoint string `json:"endpoint"`
	// Status, Situation and AsOf are asked for where the endpoint takes them.
	Status    string `json:"status,omitempty"`
	Situation string `json:"situation,omitempty"`
	AsOf      string `json:"as_of,omitempty"`
}

// covers is the record without its time: what a record of the same minute
// stands for.
func (r Record) covers() Record {
	r.Time = time.Time{}
	return r
}

var (
	// ErrFull: the share of the reader is used up. Have the auditor take the
	// oldest segments away, or raise the share.
	ErrFull = errors.New("the reader's share of the access record is full")
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("the access record is closed")
	// ErrAltered: a segment is not as it was written.
	ErrAltered = errors.New("the access record was altered")
	// ErrKey: the key is not the auditor's that a segment was sealed for.
	ErrKey = errors.New("not the auditor's key")
)
