package fusion

import (
	"math/bits"
	"unsafe"
)

// arena holds blocks of bytes of any size in slabs without pointers, so that
// the collector has nothing to walk and a block costs no header. Blocks of a
// size class share slabs; a slab whose last block is freed serves any class.
type arena struct {
	slabs   []slab
	partial [arenaClasses]int32 // first slab of a class with room, 0 none
	empty   []int32
	unused  []int32 // numbers of slabs that were given back whole
	bytes   int     // held from the runtime
}

// ref is a block: its offset in grains from the start of all slabs. 0 is none.
type ref uint32

const (
	grain        = 16
	slabSize     = 32 << 10
	slabGrains   = slabSize / grain
	slabShift    = 11 // log2 of slabGrains
	arenaClasses = 81
	// fineSize is the largest block whose class is its size in whole grains.
	fineSize = 1024
	noBlock  = 0xffff
)

type slab struct {
	mem   []byte
	next  int32 // slabs of the class with room
	prev  int32
	live  int32 // blocks in use
	class int16
	free  uint16 // first freed block, in grains; noBlock none
	bump  uint16 // first block never used, in grains
	full  bool
}

// classOf is the size class of a block; -1 has a slab of its own.
func classOf(size int) int {
	switch {
	case size <= fineSize:
		return (size + grain - 1) / grain
	case size > slabSize/2:
		return -1
	}
	// Four classes an octave above.
	e := bits.Len(uint(size-1)) - 1
	return fineSize/grain + 4*(e-10) + (size-1)>>(e-2) - 3
}

// sizeOf is the size of the blocks of a class.
func sizeOf(class int) int {
	if class <= fineSize/grain {
		return max(class, 1) * grain
	}
	c := class - fineSize/grain - 1
	return (5 + c%4) << (8 + c/4)
}

func (a *arena) init() { a.slabs = make([]slab, 1) } // slab 0 is nowhere

// take returns a block of at least size bytes, whatever they hold.
func (a *arena) take(size int) ref {
	class := classOf(size)
	if class < 0 {
		return a.takeWhole(size)
	}
	i := a.partial[class]
	if i == 0 {
		i = a.newSlab(class)
	}
	s := &a.slabs[i]
	at := s.free
	if at != noBlock {
		s.free = *(*uint16)(unsafe.Pointer(&s.mem[int(at)*grain]))
	} else {
		at = s.bump
		s.bump += uint16(sizeOf(class) / grain)
	}
	s.live++
	if s.free == noBlock && int(s.bump)*grain+sizeOf(class) > slabSize {
		a.unlink(i)
		s.full = true
	}
	return ref(i)<<slabShift | ref(at)
}

func (a *arena) newSlab(class int) int32 {
	var i int32
	if l := len(a.empty); l > 0 {
		i, a.empty = a.empty[l-1], a.empty[:l-1]
	} else {
		i = a.number()
		a.slabs[i].mem = make([]byte, slabSize)
		a.bytes += slabSize
	}
	s := &a.slabs[i]
	*s = slab{mem: s.mem, class: int16(class), free: noBlock}
	a.push(i)
	return i
}

func (a *arena) number() int32 {
	if l := len(a.unused); l > 0 {
		i := a.unused[l-1]
		a.unused = a.unused[:l-1]
		return i
	}
	a.slabs = append(a.slabs, slab{})
	return int32(len(a.slabs) - 1)
}

// takeWhole makes a slab for one large block.
func (a *arena) takeWhole(size int) ref {
	i := a.number()
	a.slabs[i] = slab{mem: make([]byte, size), class: -1, live: 1, full: true}
	a.bytes += size
	return ref(i) << slabShift
}

// give frees a block.
func (a *arena) give(r ref) {
	i, at := int32(r>>slabShift), uint16(r&(slabGrains-1))
	s := &a.slabs[i]
	if s.class < 0 {
		a.bytes -= len(s.mem)
		*s = slab{}
		a.unused = append(a.unused, i)
		return
	}
	if poisoned {
		poison(s.mem[int(at)*grain:][:sizeOf(int(s.class))])
	}
	*(*uint16)(unsafe.Pointer(&s.mem[int(at)*grain])) = s.free
	s.free = at
	s.live--
	if s.full {
		s.full = false
		a.push(i)
	}
	if s.live == 0 {
		a.unlink(i)
		a.empty = append(a.empty, i)
	}
}

// push makes a slab the first of its class to be asked for room.
func (a *arena) push(i int32) {
	s := &a.slabs[i]
	s.prev, s.next = 0, a.partial[s.class]
	if s.next != 0 {
		a.slabs[s.next].prev = i
	}
	a.partial[s.class] = i
}

func (a *arena) unlink(i int32) {
	s := &a.slabs[i]
	if s.prev != 0 {
		a.slabs[s.prev].next = s.next
	} else {
		a.partial[s.class] = s.next
	}
	if s.next != 0 {
		a.slabs[s.next].prev = s.prev
	}
}

// at is the memory from a block on to the end of its slab.
func (a *arena) at(r ref) []byte {
	return a.slabs[r>>slabShift].mem[int(r&(slabGrains-1))*grain:]
}

// poisoned makes freed memory unreadable: whatever still points into it shows
// itself. Tests set it.
var poisoned bool

func poison(b []byte) {
	for i := range b {
		b[i] = 0xdb
	}
}
