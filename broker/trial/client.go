package trial

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/account"
)

const (
	// batch is how many calls are under way at once.
	batch = 512
	// settle is how long what is permitted may take to be answered: whether it
	// was refused is known without. With all rights it is waited for longer,
	// for there an answer is what is looked for.
	settle     = 100 * time.Millisecond
	settleFree = 3 * time.Second
	// patience is how long the server may take to come to the end of a batch.
	patience = 20 * time.Second
)

// nobody is the answer where nothing listens: there is nothing of the kind to
// reach, such as flow control of a consumer that is pulled.
const nobody = "no responders"

// answer is what came of a call.
type answer struct {
	refused bool
	text    string
	data    []byte
}

// client makes calls with one credential and hears what is refused.
type client struct {
	nc    *nats.Conn
	inbox string
	round int
	free  bool // has all rights: nothing is refused
	// patient is how long answers that must come may take; zero: settle.
	patient time.Duration

	mu       sync.Mutex
	denied   map[string]int
	end      chan struct{}
	ending   string
	received map[int][]*nats.Msg
	pulls    map[string]int // "STREAM.CONSUMER" -> the call that pulls from it
	stray    []byte         // what came and belongs to no call
	news     chan struct{}
}

func dial(c account.Credential) (*client, error) {
	k := &client{denied: map[string]int{}, received: map[int][]*nats.Msg{}, news: make(chan struct{}, 1), free: c.Principal == account.Root().String()}
	nc, err := nats.Connect(c.URL, append(c.Options(), nats.MaxReconnects(0), nats.ErrorHandler(k.heard), nats.SkipSubjectValidation())...)
	if err != nil {
		return nil, fmt.Errorf("sign in as %s in %s: %w", c.Principal, c.Cell, err)
	}
	k.nc, k.inbox = nc, c.InboxPrefix+".trial"
	if _, err := nc.Subscribe(k.inbox+".*", k.took); err != nil {
		nc.Close()
		return nil, fmt.Errorf("listen for answers: %w", err)
	}
	return k, nil
}

func (k *client) close() { k.nc.Close() }

// heard counts a refusal by the action and subject that the server names.
func (k *client) heard(_ *nats.Conn, _ *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	text := err.Error()
	k.mu.Lock()
	defer k.mu.Unlock()
	key := violation(text)
	if key == k.ending {
		close(k.end)
		k.ending = ""
		return
	}
	k.denied[key]++
}

// violation is "publish SUBJECT", "subscribe SUBJECT" or "queue SUBJECT" of a refusal.
func violation(text string) string {
	_, after, _ := strings.Cut(text, `"`)
	subj, rest, _ := strings.Cut(after, `"`)
	switch {
	case strings.Contains(rest, "using queue"):
		return "queue " + subj
	case strings.Contains(strings.ToLower(text), "subscription"):
		return "subscribe " + subj
	}
	return "publish " + subj
}

// took keeps an answer. What a consumer delivers comes under the subject it was
// stored on; the consumer stands in where it is to be acknowledged.
func (k *client) took(m *nats.Msg) {
	k.mu.Lock()
	if n, ok := k.callOf(m); ok {
		k.received[n] = append(k.received[n], m)
	} else {
		k.stray = append(k.stray, content(m)...)
	}
	k.mu.Unlock()
	select {
	case k.news <- struct{}{}:
	default:
	}
}

func (k *client) callOf(m *nats.Msg) (int, bool) {
	if tail, ok := strings.CutPrefix(m.Subject, k.inbox+"."); ok {
		n, err := strconv.Atoi(tail)
		return n, err == nil
	}
	t := strings.Split(m.Reply, ".")
	if len(t) < 4 || t[1] != "ACK" {
		return 0, false
	}
	n, ok := k.pulls[t[2]+"."+t[3]]
	return n, ok
}

// content is everything a message says.
func content(m *nats.Msg) []byte {
	out := []byte(m.Subject + m.Reply)
	for key, values := range m.Header {
		out = append(append(out, key...), strings.Join(values, " ")...)
	}
	return append(out, m.Data...)
}

// try makes calls together and waits for what comes of them.
func (k *client) try(calls []call) ([]answer, error) {
	k.begin(calls)
	var subs []*nats.Subscription
	var mu sync.Mutex
	heard := map[int][]byte{}
	for i, c := range calls {
		if !c.subscribe {
			m := &nats.Msg{Subject: c.subject, Reply: k.reply(i), Data: c.body, Header: c.header}
			if err := k.nc.PublishMsg(m); err != nil {
				return nil, fmt.Errorf("%s: %w", c, err)
			}
			continue
		}
		sub, err := k.nc.QueueSubscribe(c.subject, c.queue, func(m *nats.Msg) {
			mu.Lock()
			defer mu.Unlock()
			heard[i] = append(append(heard[i], m.Subject...), m.Data...)
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		subs = append(subs, sub)
	}
	if err := k.settled(); err != nil {
		return nil, err
	}
	denied := k.refusals()
	k.wait(calls, denied)
	out := make([]answer, len(calls))
	for i, c := range calls {
		out[i] = k.answerTo(i, c, denied)
	}
	for _, s := range subs {
		_ = s.Unsubscribe() // of a refused one there is nothing to end
	}
	mu.Lock()
	defer mu.Unlock()
	for i, data := range heard {
		out[i].data = append(out[i].data, data...)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	out[0].data = append(out[0].data, k.stray...)
	k.stray = nil
	return out, nil
}

func (k *client) begin(calls []call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.round++
	k.denied, k.received, k.pulls = map[string]int{}, map[int][]*nats.Msg{}, map[string]int{}
	for i, c := range calls {
		if _, from, ok := strings.Cut(c.subject, ".MSG.NEXT."); ok {
			k.pulls[from] = k.number(i)
		}
	}
}

// number is that of call i of this round.
func (k *client) number(i int) int { return k.round*10*batch + i }

// reply is where call i of this round is answered.
func (k *client) reply(i int) string { return k.inbox + "." + strconv.Itoa(k.number(i)) }

// settled waits until the server has taken all calls and every refusal is
// heard. The last is one that must come: nobody may listen there.
func (k *client) settled() error {
	k.mu.Lock()
	k.end = make(chan struct{})
	last := "trial.end." + strconv.Itoa(k.round)
	k.ending = "publish " + last
	end := k.end
	k.mu.Unlock()
	if err := k.nc.Publish(last, nil); err != nil {
		return err
	}
	if err := k.nc.FlushTimeout(patience); err != nil {
		return fmt.Errorf("wait for the server: %w", err)
	}
	if k.free {
		return nil
	}
	select {
	case <-end:
		return nil
	case <-time.After(patience):
		return errors.New("a refusal that must come did not: the answers are not to be trusted")
	}
}

func (k *client) refusals() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.denied
	k.denied = map[string]int{}
	return out
}

// wait gives what was not refused time to be answered.
func (k *client) wait(calls []call, denied map[string]int) {
	patient := settle
	if k.free {
		patient = settleFree
	}
	deadline := time.After(max(patient, k.patient))
	for {
		missing := 0
		k.mu.Lock()
		for i, c := range calls {
			if !c.subscribe && !c.silent && denied[refusal(c)] == 0 && len(k.received[k.number(i)]) == 0 {
				missing++
			}
		}
		k.mu.Unlock()
		if missing == 0 {
			return
		}
		select {
		case <-k.news:
		case <-deadline:
			return
		}
	}
}

func refusal(c call) string { return c.action() + " " + c.subject }

func (k *client) answerTo(i int, c call, denied map[string]int) answer {
	if denied[refusal(c)] > 0 {
		return answer{refused: true, text: "permissions violation"}
	}
	if c.subscribe {
		return answer{text: "listens"}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	msgs := k.received[k.number(i)]
	if len(msgs) == 0 {
		return answer{text: "nothing"}
	}
	a := answer{text: "answered"}
	if msgs[0].Header.Get("Status") == "503" {
		a.text = nobody
	}
	for _, m := range msgs {
		a.data = append(a.data, content(m)...)
	}
	return a
}
