// Package durability proves that what was acknowledged is stored: once, in
// order, and for good. Its tests run the broker as a real process on a disk whose
// power they cut (package disk), at every named stage of its work, and compare
// what the producers were told with what is there afterwards.
//
// The package itself is the comparison, [Check]: it is pure, and whoever breaks
// a broker in another way can use it too. `make powercut` runs the long form.
package durability
