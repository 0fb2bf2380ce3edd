package admit

import (
	"encoding/json"
	"strconv"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// maxRecords is how many refusal records may be under way at once.
const maxRecords = 4096

// record stores why a report was refused, never what it said. It does not
// hold up the answer; a record that is not stored is counted and logged.
//
// What may be an answer of the server, sent here by a reader (trap T3), is
// counted and not recorded: a reader stores nothing.
func (l *loop) record(s *submission) {
	if mayBeAnAnswer(s.msg) {
		l.g.metrics.Misdirected.Add(1)
		return
	}
	if l.unrecorded >= maxRecords {
		l.lost("too many refusal records under way", nil)
		return
	}
	data, err := proto.Marshal(guard.RecordOf(l.g.cfg.Rules.Cell, s.x, s.d.Reasons))
	if err != nil {
		l.lost("refusal not encoded", err)
		return
	}
	agency := s.x.Submission.Agency
	if agency == "" {
		agency = subject.None
	}
	m := &nats.Msg{
		Subject: l.g.cfg.Refusals.Of(subject.Refusal(l.g.cfg.Rules.Cell, agency)), Data: data,
		Reply: l.recordInbox + strconv.Itoa(s.attempts),
	}
	if err := l.store.PublishMsg(m); err != nil {
		l.lost("refusal not recorded", err)
		return
	}
	l.unrecorded++
}

func (l *loop) recordAcked(m *nats.Msg) {
	l.unrecorded = max(0, l.unrecorded-1)
	var a pubAck
	if err := json.Unmarshal(m.Data, &a); err != nil || a.Error != nil || a.Sequence == 0 {
		l.lost("refusal not recorded", err)
		return
	}
	l.g.metrics.Recorded.Add(1)
}

func (l *loop) lost(why string, err error) {
	l.g.metrics.Unrecorded.Add(1)
	l.log.Error(why, zap.Error(err))
}
