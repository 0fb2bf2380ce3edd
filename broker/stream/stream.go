// Package stream says which streams and consumers a policy wants in the
// account of each cell, and brings them about.
//
// Plan compares and is pure; Apply talks to the server. What is equal is not
// written again: every write is synced to disk. A stream is created or
// updated, never deleted, whatever the policy says: deleting data is the
// retention worker's. A consumer that the policy no longer names is deleted.
//
// It writes no subject, stream or consumer name of its own: those are package
// subject's.
package stream

import (
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// refusalsEach is how many records of refused reports each agency keeps: the
	// flood of one pushes out its own oldest, never another's.
	refusalsEach = 2000
	refusalsAge  = 90 * 24 * time.Hour
	// framesPerSlot times subject.Slots frames are kept at most.
	framesPerSlot = 512
	// workerPending is how far a fusion worker may read ahead of its commit.
	workerPending = 100_000
	// workerWait is long: a worker that begins anew sets its consumer back, and
	// does not wait for redelivery.
	workerWait  = 5 * time.Minute
	feedPending = 2_000
	feedWait    = 30 * time.Second
)

// Want is what one cell's account should hold.
type Want struct {
	Streams   []jetstream.StreamConfig
	Consumers []jetstream.ConsumerConfig // all on REPORTS
}

// Desired lists what the policy wants in the account of a cell, inlet being
// where a stream of it takes in what it stores.
func Desired(p *policy.Policy, cell string, inlet func(stream string) subject.Inlet) Want {
	w := Want{Streams: []jetstream.StreamConfig{reports(p), refusals()}}
	for _, status := range subject.Statuses {
		w.Streams = append(w.Streams, snapshots(p, status))
	}
	for i := range w.Streams {
		takeIn(&w.Streams[i], inlet(w.Streams[i].Name))
	}
	above := p.Above(cell)
	for _, reader := range append([]string{cell}, above...) {
		for _, status := range subject.Statuses {
			for _, c := range subject.Channels {
				filters := workerFilters(c, status, reader, cell, above)
				w.Consumers = append(w.Consumers, replay(subject.ReplayConsumer(reader, status, c), filters))
				for _, seat := range subject.Seats {
					w.Consumers = append(w.Consumers, worker(seat.Consumer(reader, status, c), filters))
				}
			}
		}
	}
	for _, r := range p.Readers {
		if !slices.Contains(p.Readable(r.Name), cell) {
			continue
		}
		for _, f := range r.Feeds {
			w.Consumers = append(w.Consumers, feed(p, cell, r, f))
		}
	}
	return w
}

// takeIn lets a stream capture by its inlet alone, and store under the subject
// behind it.
func takeIn(s *jetstream.StreamConfig, in subject.Inlet) {
	s.Subjects = in.All(s.Subjects)
	s.SubjectTransform = &jetstream.SubjectTransformConfig{Source: in.Source(), Destination: ">"}
}

func reports(p *policy.Policy) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: subject.Reports, Subjects: subject.ReportSubjects, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxAge: p.LongestRetention(), AllowAtomicPublish: true, MaxMsgSize: 2 << 20,
		Duplicates: 2 * time.Minute,
	}
}

// refusals: each agency has a quota of its own, of records of bounded size; a
// bound of the whole would let the flood of one push out the others' records.
func refusals() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: subject.Refusals, Subjects: subject.RefusalSubjects, Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxMsgsPerSubject: refusalsEach,
		MaxMsgSize: admission.MaxRefusal, MaxAge: refusalsAge, Duplicates: 2 * time.Minute,
	}
}

// snapshots: the one kind of stream that does not wait for the disk. A frame
// can be made again from REPORTS, whose every record was synced; a worker that
// finds frames missing after a power cut continues under a new epoch, which
// tells readers to read again. So the disk is left to what cannot be made again.
func snapshots(p *policy.Policy, status wf.Status) jetstream.StreamConfig {
	from, to := subject.Republish(status)
	return jetstream.StreamConfig{
		Name: subject.SnapshotStream(status), Subjects: subject.SnapshotSubjects(status), Storage: jetstream.FileStorage,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxMsgsPerSubject: framesPerSlot, MaxAge: p.History, AllowDirect: true, PersistMode: jetstream.AsyncPersistMode,
		RePublish: &jetstream.RePublish{Source: from, Destination: to}, Duplicates: 2 * time.Minute,
	}
}

// Remakeable says whether everything in a stream can be made again from others:
// frames can, from reports.
func Remakeable(name string) bool {
	return slices.ContainsFunc(subject.Statuses, func(s wf.Status) bool { return name == subject.SnapshotStream(s) })
}

// worker is the consumer of a fusion worker. It is kept in memory: a worker
// always begins by reading from the start, so nothing is lost with it, and a
// commit is not paid for twice.
func worker(name string, filters []string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: name, Name: name, FilterSubjects: filters, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckAllPolicy, AckWait: workerWait, MaxAckPending: workerPending, MaxDeliver: -1, MemoryStorage: true,
	}
}

// replay is the consumer by which a worker's cell reads again what it has read,
// to tell what its picture was: the same reports, set back for every replay.
func replay(name string, filters []string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: name, Name: name, FilterSubjects: filters, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckNonePolicy, MaxDeliver: -1, MemoryStorage: true,
	}
}

func workerFilters(c subject.Channel, status wf.Status, reader, cell string, above []string) []string {
	if reader == cell {
		return c.OwnFilters(status)
	}
	return c.UpwardFilters(status, reader, above)
}

// feed is the consumer of one feed of a reader: its place is kept on disk.
func feed(p *policy.Policy, cell string, r policy.Reader, f policy.Feed) jetstream.ConsumerConfig {
	sel := subject.Feed{Status: f.Status, Kind: f.Kind, State: f.State, County: f.County, Agency: f.Agency}
	name := subject.FeedConsumer(r.Name, f.Name)
	return jetstream.ConsumerConfig{
		Durable: name, Name: name, FilterSubjects: feedFilters(p, cell, r, sel), DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: feedWait, MaxAckPending: feedPending, MaxDeliver: -1,
	}
}

// feedFilters: in a cell the reader is cleared for, everything of the feed;
// below it, what each of its cells above may read.
func feedFilters(p *policy.Policy, cell string, r policy.Reader, f subject.Feed) []string {
	if slices.Contains(r.Cells, cell) {
		return f.OwnFilters()
	}
	above := p.Above(cell)
	set := map[string]bool{}
	for _, reader := range r.Cells {
		if slices.Contains(above, reader) {
			for _, s := range f.UpwardFilters(reader, above) {
				set[s] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
