package fusion

// lookup maps 64-bit hashes to numbers below 1<<refBits. Its slots are eight
// bytes: a tag of 36 bits of the hash above the number. The first bits of the
// hash choose a segment, the next 36 are the tag, so that what a tag stands for
// does not depend on how large the table is. Within a segment slots are in the
// order of their tags, each as near behind the place its tag asks for as those
// before it allow: a search ends at the first greater tag, and a segment grows
// by a sixth in one pass.
//
// Equal tags stand side by side; who may not mix hashes that share both the
// segment and the tag checks what the number names.
type lookup struct {
	segments []segment
	bits     uint // of the hash, for the segment
}

type segment struct {
	slots []uint64 // the last is always empty
	home  uint64   // places that a tag may ask for
	used  uint64
}

const (
	refBits = 28
	refMask = 1<<refBits - 1
	tagBits = 64 - refBits
)

func (t *lookup) init(bits uint) {
	t.bits = bits
	t.segments = make([]segment, 1<<bits)
}

// segment is where a hash belongs, and its tag.
func (t *lookup) segment(h uint64) (*segment, uint64) {
	return &t.segments[h>>(64-t.bits)], h << t.bits >> refBits
}

func (s *segment) place(tag uint64) uint64 { return tag * s.home >> tagBits }

// seek is the slot of the first tag that is not smaller, or the empty one
// where it belongs.
func (s *segment) seek(tag uint64) int {
	if len(s.slots) == 0 {
		return 0
	}
	i := int(s.place(tag))
	for s.slots[i] != 0 && s.slots[i]>>refBits < tag {
		i++
	}
	return i
}

// at is the number in slot i if it is tag's; 0 when the search is over.
func (s *segment) at(i int, tag uint64) uint32 {
	if i < len(s.slots) && s.slots[i]>>refBits == tag {
		return uint32(s.slots[i] & refMask)
	}
	return 0
}

// warm loads the slot where a tag belongs.
func (s *segment) warm(tag uint64) uint64 {
	if len(s.slots) == 0 {
		return 0
	}
	return s.slots[s.place(tag)]
}

// get is the number of the first slot with the tag of h, 0 none.
func (t *lookup) get(h uint64) uint32 {
	s, tag := t.segment(h)
	return s.at(s.seek(tag), tag)
}

// first is the first number with the tag of h that is the one, 0 none.
func (t *lookup) first(h uint64, is func(uint32) bool) uint32 {
	s, tag := t.segment(h)
	for i := s.seek(tag); ; i++ {
		if ref := s.at(i, tag); ref == 0 || is(ref) {
			return ref
		}
	}
}

// put adds a number under h.
func (t *lookup) put(h uint64, ref uint32) {
	s, tag := t.segment(h)
	s.add(s.seek(tag), tag, ref)
}

// drop removes a number from under h.
func (t *lookup) drop(h uint64, ref uint32) {
	s, tag := t.segment(h)
	s.dropRef(tag, ref)
}

// add puts a number in at slot i, where seek said.
func (s *segment) add(i int, tag uint64, ref uint32) {
	if (s.used+1)*8 > s.home*7 {
		s.grow(s.used+1, 0)
		i = s.seek(tag)
	}
	j := i
	for s.slots[j] != 0 {
		j++
	}
	if j == len(s.slots)-1 { // no room behind the last place
		s.grow(s.home*3/4, 2*(uint64(len(s.slots))-s.home))
		s.add(s.seek(tag), tag, ref)
		return
	}
	copy(s.slots[i+1:j+1], s.slots[i:j])
	s.slots[i] = tag<<refBits | uint64(ref)
	s.used++
}

// set gives slot i another number.
func (s *segment) set(i int, ref uint32) { s.slots[i] = s.slots[i]&^refMask | uint64(ref) }

// drop empties slot i and moves back what had to stand behind it.
func (s *segment) drop(i int) {
	j := i + 1
	for s.slots[j] != 0 && s.place(s.slots[j]>>refBits) < uint64(j) {
		j++
	}
	copy(s.slots[i:j-1], s.slots[i+1:j])
	s.slots[j-1] = 0
	s.used--
}

// dropRef empties the slot that holds a number under a tag.
func (s *segment) dropRef(tag uint64, ref uint32) {
	for i := s.seek(tag); ; i++ {
		switch s.at(i, tag) {
		case ref:
			s.drop(i)
			return
		case 0:
			return
		}
	}
}

// grow makes room for want numbers, of which three quarters would be used, and
// at least spare slots behind the last place.
func (s *segment) grow(want, spare uint64) {
	home := max(4, want+want/3)
	spare = max(spare, 4+min(home/32, 28))
	slots := append([]uint64(nil), make([]uint64, home+spare)...)
	slots = slots[:cap(slots)]
	old := s.slots
	s.slots, s.home = slots, uint64(len(slots))-spare
	next := uint64(0)
	for _, x := range old {
		if x == 0 {
			continue
		}
		if next = max(next, s.place(x>>refBits)); next >= uint64(len(slots))-1 {
			s.slots = old
			s.grow(want, 2*spare)
			return
		}
		slots[next] = x
		next++
	}
}
