package trial

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func base64Decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }
func base64Encode(b []byte) string          { return base64.RawURLEncoding.EncodeToString(b) }

// replies: who submits names where the answer goes, and NATS does not check it
// (T3). The guard answers only in the inbox of the agency whose subject it is.
func (t *trial) replies(ctx context.Context) error {
	for _, c := range t.cfg.Policy.Cells {
		agencies := t.cfg.Policy.AgenciesOf(c.Name)
		if len(agencies) == 0 {
			t.note("no agency submits to %s: no reply subjects to try there", c.Name)
			continue
		}
		if err := t.repliesOf(ctx, c.Name, agencies[0], agencies[len(agencies)-1]); err != nil {
			return err
		}
	}
	return nil
}

// repliesOf lets one agency ask for answers in inboxes of others and in what
// is stored, and listens there with all rights.
func (t *trial) repliesOf(ctx context.Context, cell, agency, other string) error {
	cred, err := t.twin.Issue(account.Request{Principal: account.Agency(agency), Cell: cell, User: user})
	if err != nil {
		return err
	}
	k, err := dial(cred)
	if err != nil {
		return err
	}
	defer k.close()
	root, err := t.twin.root(cell)
	if err != nil {
		return err
	}
	defer root.close()
	a, _ := t.cfg.Policy.Agency(agency)
	g, _ := a.Grant(cell)
	ask := subject.Submission{Status: g.Statuses[0], Kind: g.Kinds[0], State: subject.None, County: subject.None, Agency: agency}.String()
	targets := []string{subject.InboxPrefix("guard", "main.x"), subject.InboxPrefix("api", "main.x"), subject.Frame(wf.Status_STATUS_ACTUAL, 1), "trial.elsewhere"}
	if other != agency {
		targets = append(targets, subject.InboxPrefix(other, "main.x"))
	}
	own := k.inbox + ".own"
	for _, to := range append(targets, own) {
		heard, err := t.hears(ctx, k, root, ask, to)
		if err != nil {
			return err
		}
		out := Attempt{Trap: "T3", Principal: "agency/" + agency, Cell: cell, Action: "reply to", Subject: to, Where: "twin", Outcome: Refused, Answer: "nothing is heard there", Why: "in its own inbox it is answered"}
		switch {
		case to == own && heard:
			out.Outcome, out.Answer, out.Why = Allowed, "answered", "its own inbox"
		case to == own:
			out.Outcome, out.Answer, out.Why = Wrong, "nothing", "it should be answered there"
		case heard:
			out.Outcome, out.Answer, out.Why = Leak, "answered", "it is somebody else's"
		}
		t.tell(out)
	}
	return nil
}

// hears says whether the answer to a submission comes to the subject.
func (t *trial) hears(ctx context.Context, k, root *client, ask, to string) (bool, error) {
	sub, err := root.nc.SubscribeSync(to)
	if err != nil {
		return false, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := root.nc.FlushTimeout(patience); err != nil {
		return false, fmt.Errorf("listen at %s: %w", to, err)
	}
	if err := k.nc.PublishRequest(ask, to, []byte("no report")); err != nil {
		return false, err
	}
	// The guard takes in order: when the second is answered, the first was.
	if _, err := k.nc.RequestWithContext(ctx, ask, []byte("no report")); err != nil {
		return false, fmt.Errorf("ask the guard: %w", err)
	}
	_, err = sub.NextMsg(50 * time.Millisecond)
	return err == nil, nil
}
