package fusion

import "encoding/binary"

// tables by identity: the first bits of an identity, which is a hash, find the
// slot; the node or picture found there tells whether it is the one.

// identBits choose the segment of a table by identity.
const identBits = 8

func (id ident) hash() uint64 { return binary.LittleEndian.Uint64(id[:]) }

// know is the live report of an identity, 0 none.
func (e *Engine) know(id ident) int32 {
	return int32(e.known.first(id.hash(), func(n uint32) bool { return e.nodes[n].id == id }))
}

// learn notes a new live report.
func (e *Engine) learn(n int32) { e.known.put(e.nodes[n].id.hash(), uint32(n)) }

// unlearn forgets a live report.
func (e *Engine) unlearn(n int32) { e.known.drop(e.nodes[n].id.hash(), uint32(n)) }

// named is the committed picture of a situation, 0 none.
func (e *Engine) named(id ident) int32 {
	return int32(e.bySituation.first(id.hash(), func(p uint32) bool { return e.pictures[p].id == id }))
}

func (e *Engine) name(p int32) { e.bySituation.put(e.pictures[p].id.hash(), uint32(p)) }

func (e *Engine) unname(p int32) { e.bySituation.drop(e.pictures[p].id.hash(), uint32(p)) }
