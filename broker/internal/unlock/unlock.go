// Package unlock keeps one door shut: a principal that may do everything in a
// cell. Tests need it, to show that what everybody else is refused does work
// for somebody; a broker in use must not have it.
//
// It is no feature flag: only packages under broker/ can import it. Brokertest
// does, and trial for the broker that it starts itself in a temporary folder,
// with keys of its own, and ends: so that no configuration can open the door of
// a broker that holds anything.
package unlock

// Key opens the door. The zero key does not.
type Key struct{ fits bool }

// Cut makes a key that fits.
func Cut() Key { return Key{fits: true} }

// Fits says whether the key opens the door.
func (k Key) Fits() bool { return k.fits }
