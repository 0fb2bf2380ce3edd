package fusion

import "encoding/binary"

// tables by identity: the first bits of an identity, which is a hash, find the
// slot; the node or picture found there tells whether it is the one.

// identBits choose the segment of a table by identity.
const identBits = 8

func (id ident) hash() uint64 { return binary.LittleEndian.Uint64(id[:]) }

// know is the live report of an identity, 0 none.
func (e *Engine) know(id ident) int32 {
	s, tag := e.known.segment(id.hash())
	for i := s.seek(tag); ; i++ {
		n := int32(s.at(i, tag))
		if n == 0 || e.nodes[n].id == id {
			return n
		}
	}
}

// learn notes a new live report.
func (e *Engine) learn(n int32) {
	s, tag := e.known.segment(e.nodes[n].id.hash())
	s.add(s.seek(tag), tag, uint32(n))
}

// unlearn forgets a live report.
func (e *Engine) unlearn(n int32) {
	s, tag := e.known.segment(e.nodes[n].id.hash())
	s.dropRef(tag, uint32(n))
}

// named is the committed picture of a situation, 0 none.
func (e *Engine) named(id ident) int32 {
	s, tag := e.bySituation.segment(id.hash())
	for i := s.seek(tag); ; i++ {
		p := int32(s.at(i, tag))
		if p == 0 || e.pictures[p].id == id {
			return p
		}
	}
}

func (e *Engine) name(p int32) {
	s, tag := e.bySituation.segment(e.pictures[p].id.hash())
	s.add(s.seek(tag), tag, uint32(p))
}

func (e *Engine) unname(p int32) {
	s, tag := e.bySituation.segment(e.pictures[p].id.hash())
	s.dropRef(tag, uint32(p))
}
