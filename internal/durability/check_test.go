package durability

import (
	"testing"
)

func key(id string) Key { return Key{Cell: "le", Agency: "fbi", ID: id, Revision: 1} }

// sentInOrder is reports a, b, c ... sent in that order and acknowledged where
// the letters stand.
func sentInOrder(ids string) (out []Sent) {
	for i, id := range ids {
		n := uint64(i + 1)
		out = append(out, Sent{Key: key(string(id)), Digest: [32]byte{byte(id)}, First: n, Last: n, Acknowledged: true})
	}
	return out
}

func storedInOrder(ids string) (out []Stored) {
	for i, id := range ids {
		out = append(out, Stored{Key: key(string(id)), Digest: [32]byte{byte(id)}, Sequence: uint64(i + 1)})
	}
	return out
}

func TestCheck(t *testing.T) {
	unanswered := sentInOrder("abc")
	unanswered[1].Acknowledged = false
	again := sentInOrder("abc")
	again[0].Last = 9 // told to try again, and sent after c
	bytes := storedInOrder("abc")
	bytes[2].Digest = [32]byte{1}
	placed := sentInOrder("abc")
	placed[1].Sequence = 3
	other := append(storedInOrder("abc"), Stored{Key: Key{Cell: "le", Agency: "dea", ID: "a", Revision: 1}, Sequence: 9})
	revised := append(storedInOrder("abc"), Stored{Key: Key{Cell: "le", Agency: "fbi", ID: "a", Revision: 2}, Sequence: 9})
	overtaken := sentInOrder("abc")
	overtaken[0].Sequence, overtaken[0].Superseded = 0, true
	newer := append(sentInOrder("abc"), Sent{Key: Key{Cell: "le", Agency: "fbi", ID: "a", Revision: 2}, First: 9, Last: 9})
	newer[0].Sequence, newer[0].Superseded = 0, true
	for _, c := range []struct {
		name   string
		sent   []Sent
		stored []Stored
		want   [4]int // lost, duplicated, reordered, strange
	}{
		{"all well", sentInOrder("abc"), storedInOrder("abc"), [4]int{}},
		{"nothing at all", nil, nil, [4]int{}},
		{"one is not there", sentInOrder("abc"), storedInOrder("ac"), [4]int{1, 0, 0, 0}},
		{"nothing is there", sentInOrder("abc"), nil, [4]int{3, 0, 0, 0}},
		{"one that was not acknowledged is not there", unanswered, storedInOrder("ac"), [4]int{}},
		{"one that was not acknowledged is there", unanswered, storedInOrder("abc"), [4]int{}},
		{"other bytes", sentInOrder("abc"), bytes, [4]int{1, 0, 0, 0}},
		{"acknowledged elsewhere", placed, storedInOrder("abc"), [4]int{1, 0, 0, 0}},
		{"twice", sentInOrder("abc"), storedInOrder("abca"), [4]int{0, 1, 0, 0}},
		{"three times", sentInOrder("abc"), storedInOrder("abcaa"), [4]int{0, 2, 0, 0}},
		{"the first is last", sentInOrder("abc"), storedInOrder("bca"), [4]int{0, 0, 2, 0}},
		{"two change places", sentInOrder("abc"), storedInOrder("acb"), [4]int{0, 0, 1, 0}},
		{"sent again after the others", again, storedInOrder("bca"), [4]int{}},
		{"never sent", sentInOrder("ab"), storedInOrder("abc"), [4]int{0, 0, 0, 1}},
		{"another agency's of the same id", sentInOrder("abc"), other, [4]int{0, 0, 0, 1}},
		{"superseded by what is not there", overtaken, storedInOrder("bc"), [4]int{1, 0, 0, 0}},
		{"superseded by what is there", newer, revised[1:], [4]int{}},
		{"another revision", sentInOrder("abc"), revised, [4]int{0, 0, 0, 1}},
	} {
		v := Check(c.sent, c.stored)
		if got := [4]int{v.Lost, v.Duplicated, v.Reordered, v.Strange}; got != c.want {
			t.Errorf("%s: lost, duplicated, reordered, strange are %v, want %v", c.name, got, c.want)
		}
		if clean := c.want == [4]int{}; (v.Err() == nil) != clean {
			t.Errorf("%s: error %v", c.name, v.Err())
		}
		if n := c.want[0] + c.want[1] + c.want[2] + c.want[3]; len(v.Findings) != n {
			t.Errorf("%s: %d findings, want %d: %q", c.name, len(v.Findings), n, v.Findings)
		}
	}
}
