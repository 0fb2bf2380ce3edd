package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The two long requests of JetStream that nats.go has no call for: SNAPSHOT
// sends a stream in pieces to a subject of ours and waits for each window to be
// acknowledged; RESTORE takes the pieces back, each as a request.

const (
	// answerWithin is how long the server may take for one answer.
	answerWithin = time.Minute
	// pieceSize is that of a piece on its way back.
	pieceSize = 256 << 10
)

// apiError is how JetStream refuses.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.ErrCode) }

// call makes a request and reads its answer into out.
func call(ctx context.Context, nc *nats.Conn, subject string, data []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	resp, err := nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return fmt.Errorf("ask %s: %w", subject, err)
	}
	return answer(resp.Data, out)
}

func answer(data []byte, out any) error {
	var refused struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(data, &refused); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if refused.Error != nil {
		return refused.Error
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// capture hands the pieces of a stream as it is at this moment to each. Messages
// that come while it is under way are not in it.
func capture(ctx context.Context, nc *nats.Conn, stream string, each func([]byte) error) error {
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // tells the server to stop when we do
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return fmt.Errorf("listen: %w", err) // what waits is bounded by the server's window
	}
	req, err := json.Marshal(map[string]any{"deliver_subject": inbox})
	if err != nil {
		return err
	}
	if err := call(ctx, nc, "$JS.API.STREAM.SNAPSHOT."+stream, req, nil); err != nil {
		return err
	}
	for {
		m, err := next(ctx, sub)
		if err != nil {
			return err
		}
		if len(m.Data) == 0 {
			return ended(m)
		}
		if err := each(m.Data); err != nil {
			return err
		}
		if m.Reply == "" {
			continue
		}
		if err := nc.Publish(m.Reply, nil); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
}

func next(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	m, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait for the next piece: %w", err)
	}
	return m, nil
}

// ended reads the message without data that is the last.
func ended(m *nats.Msg) error {
	switch status := m.Header.Get("Status"); status {
	case "", "204":
		return nil
	default:
		return fmt.Errorf("the broker broke off: %s %s", status, m.Header.Get("Description"))
	}
}

// putBack makes a stream from the pieces that r reads.
func putBack(ctx context.Context, nc *nats.Conn, cfg jetstream.StreamConfig, r io.Reader) error {
	req, err := json.Marshal(map[string]any{"config": cfg, "state": struct{}{}})
	if err != nil {
		return err
	}
	var to struct {
		Deliver string `json:"deliver_subject"`
	}
	if err := call(ctx, nc, "$JS.API.STREAM.RESTORE."+cfg.Name, req, &to); err != nil {
		return err
	}
	piece := make([]byte, pieceSize)
	for {
		n, err := io.ReadFull(r, piece)
		if n > 0 {
			if err := send(ctx, nc, to.Deliver, piece[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return call(ctx, nc, to.Deliver, nil, nil)
		case err != nil:
			return err
		}
	}
}

// send sends one piece; an empty answer means that it was taken.
func send(ctx context.Context, nc *nats.Conn, subject string, piece []byte) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	resp, err := nc.RequestWithContext(ctx, subject, piece)
	if err != nil {
		return fmt.Errorf("send a piece: %w", err)
	}
	if len(resp.Data) == 0 {
		return nil
	}
	return answer(resp.Data, nil)
}
