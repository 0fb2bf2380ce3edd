package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/feed"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// pile is what was read of files, every report once.
type pile struct {
	inputs  []fusion.Input
	refused int
	// seen is where each identity and revision stands, and its content.
	seen map[revision]stand
}

type revision struct {
	agency, id string
	number     uint64
}

type stand struct {
	where   string
	content [sha256.Size]byte
}

// readPile reads files as one set. What a report leaves open is filled in, so
// that none is read and then ignored: agency "file", status actual, and where
// it has neither id nor record, its place in the file.
func (a *app) readPile(ctx context.Context, files feed.Config, paths []string) (pile, error) {
	p := pile{seen: map[revision]stand{}}
	policy, now := files.Options, time.Now().UTC()
	files.Options = func(f feed.Format) codec.Options {
		o := policy(f)
		o.Received = now // one for all: the order of the files says nothing
		if o.Agency == "" {
			o.Agency = "file"
		}
		if o.Status == wf.Status_STATUS_UNSPECIFIED {
			o.Status = wf.Status_STATUS_ACTUAL
		}
		return o
	}
	progress := a.progress("reading", unknown)
	refused, err := a.eachReport(ctx, files, paths, func(src feed.Source, item codec.Item) error {
		where := sourceName(src.Name) + " " + item.Where
		if err := p.add(where, item.Report); err != nil {
			fmt.Fprintf(a.err, "%s: refused: %s\n", where, err)
			p.refused++
		}
		progress(len(p.inputs))
		return nil
	})
	progress(unknown)
	p.refused += refused
	p.seen = nil
	return p, err
}

// add takes a report in. The same content twice is one report; other content
// under the same id and revision would silently replace one of the two.
func (p *pile) add(where string, r *wf.Report) error {
	if r.Id == "" {
		if r.Record == "" {
			r.Record = where
		}
		r.Id = report.RecordID(r.Agency, r.Record)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		return fmt.Errorf("it cannot be encoded: %w", err)
	}
	k, s := revision{r.Agency, r.Id, r.Revision}, stand{where, sha256.Sum256(data)}
	before, twice := p.seen[k]
	switch {
	case twice && before.content == s.content:
		return nil
	case twice:
		return fmt.Errorf("%s has the same record id and other content: give each list a record.prefix in its mapping, or the row a record of its own", before.where)
	}
	p.seen[k] = s
	p.inputs = append(p.inputs, fusion.Input{Report: r})
	return nil
}
