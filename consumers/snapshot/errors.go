package snapshot

import "errors"

// What a caller can do about each is said with it.
var (
	// ErrFenced: another writer committed to this picture since. Nothing was
	// stored; stop, or open a new Writer and read again.
	ErrFenced = errors.New("another worker commits this picture")
	// ErrTorn: parts or frames do not belong together. Read again.
	ErrTorn = errors.New("frames do not belong together")
	// ErrDigest: the situations are not the picture that the frame names. Read
	// again; when it stays, the stream is damaged and a new keyframe is needed.
	ErrDigest = errors.New("the picture's digest does not agree")
	// ErrNotPermitted: the credential may not read this picture, or there is none.
	ErrNotPermitted = errors.New("no such picture, or the credential may not read it")
	// ErrNoHistory: frames of that time are not stored, or not all of them.
	// Replay the reports.
	ErrNoHistory = errors.New("the frames of that time are not stored any more")
	// ErrClosed: the follower was stopped.
	ErrClosed = errors.New("follower is closed")
)
