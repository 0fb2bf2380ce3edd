package csv

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// target is a compiled path: the fields on the way, and the one to set.
type target struct {
	steps []hop
	last  protoreflect.FieldDescriptor
	// list: the last field is repeated, and values are appended.
	list bool
}

type hop struct {
	field protoreflect.FieldDescriptor
	index int // of a repeated field; single or fresh otherwise
}

const (
	single = -1 // not a repeated field
	fresh  = -2 // [*]: a new element for every value
)

// maxIndex bounds the elements a mapping may address.
const maxIndex = 63

// reserved fields say who reports what under which label; they come from the
// sender and the policy, never from a cell.
var reserved = []string{"id", "agency", "record", "kind", "state", "status", "label", "record_class", "source_format", "tearlines"}

// aim compiles a path of a report of the kind.
func aim(path string, kind wf.Kind) (target, error) {
	var t target
	d := new(wf.Report).ProtoReflect().Descriptor()
	parts := strings.Split(path, ".")
	if slices.Contains(reserved, strings.TrimRight(parts[0], "[]*0123456789")) {
		return t, fmt.Errorf("%s comes from the sender or the mapping's head, not from a column", parts[0])
	}
	for i, part := range parts {
		name, index, err := cutIndex(part)
		if err != nil {
			return t, err
		}
		fd := d.Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			return t, fmt.Errorf("%s has no field %q; it has %s", d.Name(), name, fieldNames(d, kind, i == 0))
		}
		if o := fd.ContainingOneof(); i == 0 && o != nil && name != subject.KindToken(kind) {
			return t, fmt.Errorf("the body is %s, not %s", subject.KindToken(kind), name)
		}
		if i == len(parts)-1 {
			t.last, t.list = fd, fd.IsList()
			if index != single {
				return t, errors.New("the last field of the path takes no index: values are appended")
			}
			return t, nil
		}
		if fd.Message() == nil || fd.IsList() != (index != single) {
			return t, fmt.Errorf("%s: an index belongs to repeated fields, a dot to messages", part)
		}
		t.steps = append(t.steps, hop{fd, index})
		d = fd.Message()
	}
	return t, nil
}

// fieldNames lists what a path may say at a place, as it is written there.
func fieldNames(d protoreflect.MessageDescriptor, kind wf.Kind, top bool) string {
	var out []string
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		name := string(fd.Name())
		if top && (slices.Contains(reserved, name) || fd.ContainingOneof() != nil && name != subject.KindToken(kind)) {
			continue
		}
		if fd.IsList() && fd.Message() != nil {
			name += "[0]"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func cutIndex(part string) (name string, index int, err error) {
	name, rest, found := strings.Cut(part, "[")
	if !found {
		return name, single, nil
	}
	if rest == "*]" {
		return name, fresh, nil
	}
	index, err = strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if err != nil || !strings.HasSuffix(rest, "]") || index < 0 || index > maxIndex {
		return "", 0, fmt.Errorf("%s: the index is a number from 0 to %d, or *", part, maxIndex)
	}
	return name, index, nil
}

// many says whether every value has a place of its own.
func (t target) many() bool {
	return t.list || slices.ContainsFunc(t.steps, func(h hop) bool { return h.index == fresh })
}

// set puts v where the path leads, making what is on the way.
func (t target) set(r *wf.Report, v protoreflect.Value) {
	m := r.ProtoReflect()
	for _, h := range t.steps {
		if h.index == single {
			m = m.Mutable(h.field).Message()
			continue
		}
		l := m.Mutable(h.field).List()
		if h.index == fresh {
			m = l.AppendMutable().Message()
			continue
		}
		for l.Len() <= h.index {
			l.AppendMutable()
		}
		m = l.Get(h.index).Message()
	}
	if t.list {
		m.Mutable(t.last).List().Append(v)
		return
	}
	m.Set(t.last, v)
}

// prune takes out what the mapping made room for and the row did not fill:
// empty names, addresses, places, and entities of which only the role is known.
func prune(r *wf.Report) {
	for _, e := range r.Entities {
		if p := e.GetPerson(); p != nil {
			p.Names = slices.DeleteFunc(p.Names, func(n *wf.PersonName) bool {
				return n.GetGiven() == "" && n.GetMiddle() == "" && n.GetFamily() == "" && n.GetFull() == ""
			})
			if len(p.Names) == 0 && p.Birth == nil && p.Age == 0 && p.Sex == "" && p.Nationality == "" && p.Description == "" {
				e.Detail = nil
			}
		}
		if o := e.GetOrganization(); o != nil && o.Name == "" && len(o.Aliases) == 0 {
			e.Detail = nil
		}
		if i := e.GetItem(); i != nil && i.Name == "" {
			e.Detail = nil
		}
		e.Addresses = slices.DeleteFunc(e.Addresses, emptyAddress)
	}
	r.Entities = slices.DeleteFunc(r.Entities, func(e *wf.Entity) bool {
		return e.Detail == nil && len(e.Identifiers) == 0 && len(e.Addresses) == 0 && e.Description == ""
	})
	for _, p := range r.Places {
		if emptyAddress(p.GetAddress()) {
			p.Address = nil
		}
	}
	r.Places = slices.DeleteFunc(r.Places, func(p *wf.Place) bool {
		return p.Point == nil && p.CountyFips == "" && p.State == "" && p.Name == "" && p.Address == nil
	})
}

func emptyAddress(a *wf.Address) bool {
	return a.GetNumber() == "" && a.GetStreet() == "" && a.GetUnit() == "" && a.GetCity() == "" && a.GetPostcode() == "" && a.GetLocality() == "" && a.GetState() == ""
}
