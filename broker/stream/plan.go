package stream

import (
	"cmp"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Have is what an account holds.
type Have struct {
	Streams   map[string]jetstream.StreamConfig
	Consumers map[string]jetstream.ConsumerConfig // those of REPORTS
}

// Verb is what an Action does.
type Verb string

// The verbs; there is none that deletes a stream.
const (
	CreateStream   Verb = "create stream"
	UpdateStream   Verb = "update stream"
	CreateConsumer Verb = "create consumer"
	UpdateConsumer Verb = "update consumer"
	// ReplaceConsumer deletes and creates: the server cannot change what differs.
	ReplaceConsumer Verb = "replace consumer"
	DeleteConsumer  Verb = "delete consumer"
)

// Action is one step towards what is wanted.
type Action struct {
	Verb     Verb
	Name     string
	Stream   jetstream.StreamConfig
	Consumer jetstream.ConsumerConfig
}

// Plan lists the steps from have to want: streams before the consumers on
// them, deletions before creations. Nothing to do is an empty plan.
func Plan(want Want, have Have) []Action {
	var streams, deleted, made []Action
	for _, s := range want.Streams {
		old, ok := have.Streams[s.Name]
		switch {
		case !ok:
			streams = append(streams, Action{Verb: CreateStream, Name: s.Name, Stream: s})
		case !sameStream(s, old):
			streams = append(streams, Action{Verb: UpdateStream, Name: s.Name, Stream: merge(s, old)})
		}
	}
	named := map[string]bool{}
	for _, c := range want.Consumers {
		named[c.Name] = true
		old, ok := have.Consumers[c.Name]
		switch {
		case !ok:
			made = append(made, Action{Verb: CreateConsumer, Name: c.Name, Consumer: c})
		case !sameConsumer(c, old):
			verb := UpdateConsumer
			if c.AckPolicy != old.AckPolicy || c.DeliverPolicy != old.DeliverPolicy || c.MemoryStorage != old.MemoryStorage {
				verb = ReplaceConsumer
			}
			made = append(made, Action{Verb: verb, Name: c.Name, Consumer: c})
		}
	}
	for name := range have.Consumers {
		if subject.Provisioned(name) && !named[name] {
			deleted = append(deleted, Action{Verb: DeleteConsumer, Name: name})
		}
	}
	slices.SortFunc(deleted, func(a, b Action) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Concat(streams, deleted, made)
}

// sameStream compares what Desired sets; the server fills in the rest.
func sameStream(want, have jetstream.StreamConfig) bool {
	return slices.Equal(want.Subjects, have.Subjects) && want.Storage == have.Storage && want.Retention == have.Retention &&
		want.Discard == have.Discard && want.MaxAge == have.MaxAge && limit(want.MaxBytes) == limit(have.MaxBytes) &&
		limit(want.MaxMsgsPerSubject) == limit(have.MaxMsgsPerSubject) && limit(int64(want.MaxMsgSize)) == limit(int64(have.MaxMsgSize)) &&
		want.AllowAtomicPublish == have.AllowAtomicPublish && want.AllowDirect == have.AllowDirect &&
		want.Duplicates == have.Duplicates && same(want.RePublish, have.RePublish) && same(want.SubjectTransform, have.SubjectTransform)
}

// limit reads 0 and -1 as the same: none.
func limit(n int64) int64 {
	if n <= 0 {
		return -1
	}
	return n
}

func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// merge keeps what an update may not change.
func merge(want, have jetstream.StreamConfig) jetstream.StreamConfig {
	want.Storage, want.Retention, want.PersistMode = have.Storage, have.Retention, have.PersistMode
	return want
}

func sameConsumer(want, have jetstream.ConsumerConfig) bool {
	return slices.Equal(filters(want), filters(have)) && want.AckPolicy == have.AckPolicy && want.DeliverPolicy == have.DeliverPolicy &&
		want.AckWait == have.AckWait && want.MaxAckPending == have.MaxAckPending && limit(int64(want.MaxDeliver)) == limit(int64(have.MaxDeliver)) &&
		want.MemoryStorage == have.MemoryStorage
}

// filters is the filter of a consumer, sorted; one filter comes back from the
// server in a field of its own.
func filters(c jetstream.ConsumerConfig) []string {
	f := slices.Clone(c.FilterSubjects)
	if c.FilterSubject != "" {
		f = append(f, c.FilterSubject)
	}
	slices.Sort(f)
	return f
}
