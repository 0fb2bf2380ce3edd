package broker_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// planted is a compiled policy that somebody got at.
type planted struct {
	t *testing.T
	w proof.World
}

// account changes the JWT of a cell's account and signs it again.
func (p *planted) account(cell string, edit func(*jwt.AccountClaims)) {
	p.t.Helper()
	operator, err := nkeys.CreateOperator()
	if err != nil {
		p.t.Fatal(err)
	}
	for i, token := range p.w.Accounts {
		c, err := jwt.DecodeAccountClaims(token)
		if err != nil {
			p.t.Fatal(err)
		}
		if c.Name != cell {
			continue
		}
		edit(c)
		if p.w.Accounts[i], err = c.Encode(operator); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	p.t.Fatalf("no account %s", cell)
}

// scope changes what a principal may do in a cell.
func (p *planted) scope(cell, who string, edit func(*jwt.UserScope)) {
	p.t.Helper()
	found := false
	p.account(cell, func(c *jwt.AccountClaims) {
		for _, s := range c.SigningKeys {
			if s := s.(*jwt.UserScope); s.Role == who {
				edit(s)
				found = true
			}
		}
	})
	if !found {
		p.t.Fatalf("%s has no scope in %s", who, cell)
	}
}

func (p *planted) publish(cell, who string, subjects ...string) {
	p.t.Helper()
	p.scope(cell, who, func(s *jwt.UserScope) { s.Template.Pub.Allow = append(s.Template.Pub.Allow, subjects...) })
}

func (p *planted) subscribe(cell, who string, subjects ...string) {
	p.t.Helper()
	p.scope(cell, who, func(s *jwt.UserScope) { s.Template.Sub.Allow = append(s.Template.Sub.Allow, subjects...) })
}

// join adds a scope for a principal to a cell it has none in.
func (p *planted) join(cell, who string, allow ...string) {
	p.t.Helper()
	p.account(cell, func(c *jwt.AccountClaims) {
		s := jwt.NewUserScope()
		s.Key, s.Role = p.newKey(), who
		s.Template.AllowedConnectionTypes = jwt.StringList{jwt.ConnectionTypeStandard}
		s.Template.Pub.Deny = jwt.StringList{">"}
		s.Template.Sub.Allow = allow
		c.SigningKeys.AddScopedSigner(s)
	})
}

func (p *planted) newKey() string {
	kp, err := nkeys.CreateAccount()
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := kp.PublicKey()
	if err != nil {
		p.t.Fatal(err)
	}
	return key
}

func (p *planted) cell(name string) *proof.Cell {
	i := slices.IndexFunc(p.w.Cells, func(c proof.Cell) bool { return c.Name == name })
	return &p.w.Cells[i]
}

// object changes a configuration in JSON.
func (p *planted) object(data []byte, edit map[string]any) []byte {
	p.t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal(data, &m); err != nil {
		p.t.Fatal(err)
	}
	for k, v := range edit {
		m[k] = v
	}
	out, err := json.Marshal(m)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *planted) stream(cell, name string, edit map[string]any) {
	p.t.Helper()
	c := p.cell(cell)
	for i, s := range c.Streams {
		if strings.Contains(string(s), `"name":"`+name+`"`) {
			c.Streams[i] = p.object(s, edit)
			return
		}
	}
	p.t.Fatalf("%s has no stream %s", cell, name)
}

func (p *planted) consumer(cell, name string, edit map[string]any) {
	p.t.Helper()
	c := p.cell(cell)
	for i, s := range c.Consumers {
		if strings.Contains(string(s.Config), `"name":"`+name+`"`) {
			c.Consumers[i].Config = p.object(s.Config, edit)
			return
		}
	}
	p.t.Fatalf("%s has no consumer %s", cell, name)
}

// trade lets one cell import a subject of another.
func (p *planted) trade(from, to, subj, local string, kind jwt.ExportType) {
	p.t.Helper()
	p.account(from, func(c *jwt.AccountClaims) {
		c.Exports.Add(&jwt.Export{Subject: jwt.Subject(subj), Type: kind})
	})
	p.account(to, func(c *jwt.AccountClaims) {
		c.Imports.Add(&jwt.Import{Account: p.cell(from).Account, Subject: jwt.Subject(subj), LocalSubject: jwt.RenamingSubject(local), Type: kind})
	})
}

// user adds a credential that a principal's key has signed.
func (p *planted) user(cell, who string, edit func(*jwt.UserClaims)) {
	p.t.Helper()
	signer, err := nkeys.CreateAccount()
	if err != nil {
		p.t.Fatal(err)
	}
	key, _ := signer.PublicKey()
	p.account(cell, func(c *jwt.AccountClaims) {
		for old, s := range c.SigningKeys {
			if s := s.(*jwt.UserScope); s.Role == who {
				delete(c.SigningKeys, old)
				s.Key = key
				c.SigningKeys.AddScopedSigner(s)
				return
			}
		}
	})
	kp, err := nkeys.CreateUser()
	if err != nil {
		p.t.Fatal(err)
	}
	public, _ := kp.PublicKey()
	u := jwt.NewUserClaims(public)
	u.Name, u.IssuerAccount = "main", p.cell(cell).Account
	u.SetScoped(true)
	edit(u)
	token, err := u.Encode(signer)
	if err != nil {
		p.t.Fatal(err)
	}
	p.w.Users = append(p.w.Users, token)
}

func (p *planted) door(cell string) *proof.Door {
	p.t.Helper()
	for i, d := range p.w.Doors {
		if slices.Equal(d.Cells, []string{cell}) {
			return &p.w.Doors[i]
		}
	}
	p.t.Fatalf("no listener of %s", cell)
	return nil
}

// token is one that is signed with the key of a cell's listener.
func (p *planted) token(cell, reader string, edit func(map[string]any)) {
	p.t.Helper()
	c := map[string]any{"id": "0011223344556677", "reader": reader, "kind": "person", "cell": cell, "purpose": "watch floor",
		"issued": time.Now(), "expires": time.Now().Add(time.Hour)}
	if strings.HasPrefix(reader, "feed-") {
		c["kind"], c["purpose"] = "service", "downstream analysis"
	}
	if edit != nil {
		edit(c)
	}
	body, err := json.Marshal(c)
	if err != nil {
		p.t.Fatal(err)
	}
	signed := "wf2." + base64.RawURLEncoding.EncodeToString(body)
	h := hmac.New(sha256.New, p.door(cell).Key)
	h.Write([]byte(signed))
	p.w.Tokens = append(p.w.Tokens, signed+"."+base64.RawURLEncoding.EncodeToString(h.Sum(nil)))
}

// inlet is where a stream takes in what it stores.
func (p *planted) inlet(cell, name string) subject.Inlet {
	p.t.Helper()
	for _, s := range p.cell(cell).Streams {
		var c struct {
			Name      string `json:"name"`
			Transform struct {
				Source string `json:"src"`
			} `json:"subject_transform"`
		}
		if err := json.Unmarshal(s, &c); err != nil {
			p.t.Fatal(err)
		}
		if in, ok := subject.InletOf(c.Transform.Source); c.Name == name && ok {
			return in
		}
	}
	p.t.Fatalf("stream %s of %s has no inlet", name, cell)
	return ""
}

// takeIn lets a stream take in by another inlet.
func (p *planted) takeIn(cell, name string, in subject.Inlet, subjects ...string) {
	p.t.Helper()
	p.stream(cell, name, map[string]any{"subjects": in.All(subjects), "subject_transform": map[string]any{"src": in.Source(), "dest": ">"}})
}

func next1(consumer string) string {
	return "$JS.API.CONSUMER.MSG.NEXT." + subject.Reports + "." + consumer
}

// A leak of every kind, planted in what the shipped policy compiles to, is
// found, and named with its path.
func TestPlantedLeaks(t *testing.T) {
	picture := subject.SnapshotStream(wf.Status_STATUS_ACTUAL)
	top := "TOP SECRET LE+INTEL"
	shipped, err := broker.Compile(policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		plant func(*planted)
		kind  string
		want  []string // of one leak's line
	}{
		{"a reader signs in to a higher cell", func(p *planted) { p.join("fused", "reader/watch-le", "live.actual.>") },
			"label", []string{"reader/watch-le in fused", "live.actual.>", "stream " + picture, top, "its own label is CUI LE"}},
		{"a token for a higher cell", func(p *planted) { p.token("fused", "watch-le", nil) },
			"label", []string{"reader/watch-le in fused", "token for watch floor", "listener of fused", top, "its own label is CUI LE"}},
		{"a token across", func(p *planted) { p.token("intel-s", "watch-le", nil) },
			"label", []string{"reader/watch-le in intel-s", "listener of intel-s", "SECRET INTEL"}},
		{"a token for a cell below, for which its reader has feeds alone", func(p *planted) { p.token("open", "watch-le", nil) },
			"standing", []string{"reader/watch-le in open", "not cleared for open"}},
		{"a token of nobody", func(p *planted) { p.token("le", "stranger", nil) },
			"credential", []string{"reader/stranger in le", "nobody of the policy"}},
		{"a token without end", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { delete(c, "expires") }) },
			"credential", []string{"reader/watch-le in le", "not at most for 12h"}},
		{"a token for a year", func(p *planted) {
			p.token("le", "feed-le", func(c map[string]any) { c["expires"] = time.Now().Add(8760 * time.Hour) })
		}, "credential", []string{"reader/feed-le in le", "not at most for 720h"}},
		{"a person's token for as long as a service's", func(p *planted) {
			p.token("le", "watch-le", func(c map[string]any) { c["expires"] = time.Now().Add(24 * time.Hour) })
		}, "credential", []string{"reader/watch-le in le", "not at most for 12h"}},
		{"a token without a beginning", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { delete(c, "issued") }) },
			"credential", []string{"reader/watch-le in le", "holds for"}},
		{"a token without a purpose", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { delete(c, "purpose") }) },
			"credential", []string{"reader/watch-le in le", "does not read for"}},
		{"a token for another's purpose", func(p *planted) {
			p.token("le", "watch-le", func(c map[string]any) { c["purpose"] = "downstream analysis" })
		},
			"credential", []string{"reader/watch-le in le", "does not read for"}},
		{"a person's token that says service", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { c["kind"] = "service" }) },
			"credential", []string{"reader/watch-le in le", "its reader is a person"}},
		{"a token that cannot be revoked", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { delete(c, "id") }) },
			"credential", []string{"reader/watch-le in le", "no id to revoke"}},
		{"a token that says more than anybody knows", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { c["admin"] = true }) },
			"credential", []string{"a token", "cannot be read"}},
		{"a token of one cell that opens another", func(p *planted) { p.token("le", "watch-le", func(c map[string]any) { c["cell"] = "open" }) },
			"credential", []string{"listener of le", "says that it is of open"}},
		{"a token that opens nothing", func(p *planted) { p.w.Tokens = append(p.w.Tokens, p.w.Tokens[0]+"A") },
			"unused", []string{"opens no listener"}},
		{"two listeners with one key", func(p *planted) { p.w.Doors[0].Key = p.w.Doors[1].Key },
			"credential", []string{"listener of " + shipped.Doors[1].Cells[0], "accepts the tokens of the listener of " + shipped.Doors[0].Cells[0]}},
		{"the tokens of a low cell open a high one", func(p *planted) { p.door("fused").Key = p.door("le").Key },
			"label", []string{"reader/watch-le in fused", "listener of fused", top}},
		{"a listener that serves two cells", func(p *planted) { p.door("le").Cells = []string{"le", "intel"} },
			"listener", []string{"listener of le and intel", "serves 2 cells"}},
		{"a token reads a second cell at one listener", func(p *planted) { p.door("le").Cells = []string{"le", "intel"} },
			"label", []string{"reader/watch-le", "listener of le and intel", "TOP SECRET INTEL"}},
		{"a listener of no cell", func(p *planted) { p.door("le").Cells = []string{"leaks"} },
			"listener", []string{"which is no cell"}},
		{"a listener with a short key", func(p *planted) { p.door("le").Key = []byte("secret") },
			"credential", []string{"listener of le", "has 6 bytes"}},
		{"a reader signs in across", func(p *planted) { p.join("intel", "reader/watch-le", "_INBOX.watch-le.{{name()}}.>") },
			"standing", []string{"reader/watch-le in intel", "TOP SECRET INTEL"}},
		{"an agency signs in elsewhere", func(p *planted) { p.join("intel", "agency/fbi", "_INBOX.fbi.{{name()}}.>") },
			"standing", []string{"agency/fbi in intel"}},
		{"somebody unknown signs in", func(p *planted) { p.join("le", "reader/stranger", "live.actual.>") },
			"credential", []string{"reader/stranger", "nobody of the policy"}},
		{"a worker signs in above", func(p *planted) { p.join("intel", "worker/le", "_INBOX.worker-le.{{name()}}.>") },
			"standing", []string{"worker/le in intel"}},
		{"a reader is granted the consumer of a higher cell", func(p *planted) { p.publish("le", "reader/watch-le", next1("fusion_fused_actual")) },
			"fetches", []string{"reader/watch-le", "MSG.NEXT.REPORTS.fusion_fused_actual", "consumer fusion_fused_actual", "stream REPORTS"}},
		{"a reader from above is granted the consumer of the cell's own worker", func(p *planted) { p.publish("le", "reader/watch-noc", next1("fusion_le_actual_orcon")) },
			"originator control", []string{"reader/watch-noc in le", "consumer fusion_le_actual_orcon", "orcon.*.*.*.*.actual.>"}},
		{"a reader is granted the consumer of a worker's second seat", func(p *planted) { p.publish("le", "reader/watch-le", next1("fusion_le_actual_2")) },
			"fetches", []string{"reader/watch-le", "consumer fusion_le_actual_2", "stream REPORTS"}},
		{"a worker is granted the second seat of another cell's", func(p *planted) { p.publish("le", "worker/fused", next1("fusion_le_actual_orcon_2")) },
			"originator control", []string{"worker/fused in le", "consumer fusion_le_actual_orcon_2"}},
		{"an agency answers for a worker's seat", func(p *planted) { p.publish("le", "agency/fbi", "beat.actual.1") },
			"speaks", []string{"agency/fbi", "beat.actual.1", "the other seat of worker/le"}},
		{"a reader listens to who sits where", func(p *planted) { p.subscribe("le", "reader/watch-le", "beat.>") },
			"hears", []string{"reader/watch-le", "beat.>", "what worker/le publishes"}},
		{"a worker from above sits in a seat", func(p *planted) { p.publish("le", "worker/fused", "seat.actual.1") },
			"speaks", []string{"worker/fused in le", "seat.actual.1", "the other seat of worker/le"}},
		{"a reader is granted every consumer", func(p *planted) { p.publish("le", "reader/watch-le", next1("*")) },
			"fetches", []string{"reader/watch-le", "every consumer of REPORTS"}},
		{"a feed's filter takes in what is originator controlled", func(p *planted) {
			p.consumer("le", subject.FeedConsumer("watch-noc", "all"), map[string]any{"filter_subjects": []string{">"}})
		}, "originator control", []string{"reader/watch-noc in le", "consumer feed_watch-noc_all", "orcon.*.>"}},
		{"a worker's filter takes in what does not name its cell", func(p *planted) {
			p.consumer("le", "fusion_fused_actual_orcon", map[string]any{"filter_subjects": []string{"orcon.fused-s.*.*.*.actual.>"}})
		}, "originator control", []string{"worker/fused in le", "consumer fusion_fused_actual_orcon", "orcon.fused-s."}},
		{"the second form of acknowledgement with wildcards", func(p *planted) {
			p.publish("le", "reader/watch-noc", "$JS.ACK.*.*.REPORTS.feed_watch-noc_all.>")
		}, "originator control", []string{"reader/watch-noc in le", "$JS.ACK.*.*.REPORTS.feed_watch-noc_all", "consumer fusion_le_actual_orcon"}},
		{"acknowledging for others", func(p *planted) { p.publish("le", "reader/watch-le", "$JS.ACK.>") },
			"fetches", []string{"reader/watch-le", "$JS.ACK.", "consumer fusion_le_actual"}},
		{"a wildcard for an agency's name", func(p *planted) { p.publish("le", "agency/fbi", "submit.actual.sar.*.*.*") },
			"submits", []string{"agency/fbi", "submit.actual.sar.*.*.*", "the guard"}},
		{"an agency's name from a tag", func(p *planted) { p.publish("le", "agency/fbi", "submit.actual.sar.*.*.{{tag(agency)}}") },
			"submits", []string{"agency/fbi", "submit.actual.sar.*.*.*"}},
		{"an agency submits as another", func(p *planted) { p.publish("le", "agency/fbi", "submit.actual.sar.*.*.dea") },
			"submits", []string{"agency/fbi", "dea"}},
		{"an agency submits a kind it is not granted", func(p *planted) { p.publish("le", "agency/fbi", "submit.actual.hazard.*.*.fbi") },
			"submits", []string{"agency/fbi", "hazard"}},
		{"a wildcard in a user's name", func(p *planted) { p.user("le", "agency/fbi", func(u *jwt.UserClaims) { u.Name = "*" }) },
			"credential", []string{"agency/fbi", "user *", "its name would stand in a subject"}},
		{"a wildcard in a user's tag", func(p *planted) { p.user("le", "agency/fbi", func(u *jwt.UserClaims) { u.Tags.Add("agency:*") }) },
			"credential", []string{"agency/fbi", `its tag "agency:*"`}},
		{"a user with permissions of its own", func(p *planted) {
			p.user("le", "agency/fbi", func(u *jwt.UserClaims) { u.SetScoped(false); u.Pub.Allow.Add(">") })
		}, "credential", []string{"agency/fbi", "permissions of its own"}},
		{"a user of another account", func(p *planted) {
			p.user("le", "agency/fbi", func(u *jwt.UserClaims) { u.IssuerAccount = p.cell("fused").Account })
		}, "credential", []string{"agency/fbi", "for account fused"}},
		{"a bearer credential", func(p *planted) {
			p.scope("le", "reader/watch-le", func(s *jwt.UserScope) { s.Template.BearerToken = true })
		},
			"credential", []string{"reader/watch-le", "bearer"}},
		{"bearer credentials in an account", func(p *planted) { p.account("le", func(c *jwt.AccountClaims) { c.Limits.DisallowBearer = false }) },
			"credential", []string{"account in le", "bearer"}},
		{"a key without a scope", func(p *planted) { p.account("le", func(c *jwt.AccountClaims) { c.SigningKeys.Add(p.newKey()) }) },
			"credential", []string{"without a scope"}},
		{"everybody's inboxes", func(p *planted) { p.subscribe("le", "reader/watch-le", "_INBOX.>") },
			"hears", []string{"reader/watch-le", "_INBOX.>", "answers to "}},
		{"an agency hears readers' answers", func(p *planted) { p.subscribe("le", "agency/fbi", "_INBOX.watch-le.>") },
			"label", []string{"agency/fbi", "_INBOX.watch-le.>", "answers to reader/watch-le", "CUI LE", "its own label is none"}},
		{"a shared inbox prefix", func(p *planted) {
			for _, who := range []string{"agency/fbi", "reader/watch-le"} {
				p.subscribe("le", who, "_INBOX.shared.{{name()}}.>")
			}
		}, "label", []string{"agency/fbi", "_INBOX.shared.", "answers to reader/watch-le"}},
		{"inboxes by the user's name alone", func(p *planted) {
			p.scope("le", "agency/fbi", func(s *jwt.UserScope) { s.Template.Sub.Allow = jwt.StringList{"_INBOX.{{name()}}.>"} })
		}, "label", []string{"agency/fbi", "_INBOX.{{name()}}.>", "answers to reader/"}},
		{"the whole API", func(p *planted) { p.publish("le", "agency/fbi", "$JS.API.>") },
			"label", []string{"agency/fbi", "$JS.API.>", "$JS.API.STREAM.MSG.GET.*", "stream REPORTS", "CUI LE"}},
		{"the whole API, a reader", func(p *planted) { p.publish("le", "reader/watch-le", "$JS.API.>") },
			"manages", []string{"reader/watch-le", "$JS.API.STREAM.DELETE.*", "stream REPORTS"}},
		{"the whole API, from above", func(p *planted) { p.publish("le", "reader/watch-noc", "$JS.API.>") },
			"originator control", []string{"reader/watch-noc in le", "$JS.API.STREAM.MSG.GET.*"}},
		{"no allow list", func(p *planted) {
			p.scope("le", "agency/fbi", func(s *jwt.UserScope) { s.Template.Sub = jwt.Permission{} })
		},
			"label", []string{"agency/fbi", "subscribe everything", "stream REPORTS"}},
		{"a deny list instead", func(p *planted) {
			p.scope("le", "agency/fbi", func(s *jwt.UserScope) { s.Template.Sub = jwt.Permission{Deny: jwt.StringList{"report.>"}} })
		}, "label", []string{"agency/fbi", "subscribe everything", "stream REPORTS"}},
		{"a queue in a permission", func(p *planted) { p.subscribe("le", "agency/fbi", "inlet.> workers") },
			"label", []string{"agency/fbi", "inlet.> workers", "stream REPORTS"}},
		{"what passes on its way into the store", func(p *planted) { p.subscribe("le", "api/api", "inlet.>") },
			"hears", []string{"api/api in le", "inlet.>", "stream REPORTS"}},
		{"what agencies submit", func(p *planted) { p.subscribe("le", "reader/watch-le", "submit.>") },
			"hears", []string{"reader/watch-le", "submissions"}},
		{"advisories", func(p *planted) { p.subscribe("le", "reader/watch-le", "$JS.EVENT.>") },
			"label", []string{"reader/watch-le", "$JS.EVENT.>", "UNMARKED"}},
		{"the system's events", func(p *planted) { p.subscribe("le", "reader/watch-le", "$SYS.>") },
			"label", []string{"reader/watch-le", "$SYS.>", "UNMARKED"}},
		{"asking the system", func(p *planted) { p.publish("le", "reader/watch-le", "$SYS.REQ.ACCOUNT.PING.CONNZ") },
			"controls", []string{"reader/watch-le", "$SYS.REQ.ACCOUNT.PING.CONNZ"}},
		{"a request nobody has reviewed", func(p *planted) { p.publish("le", "reader/watch-le", "$JS.API.STREAM.NEW.REPORTS") },
			"controls", []string{"reader/watch-le", "$JS.API.STREAM.NEW.REPORTS"}},
		{"allow_responses", func(p *planted) {
			p.scope("le", "reader/watch-le", func(s *jwt.UserScope) { s.Template.Resp = &jwt.ResponsePermission{MaxMsgs: 1} })
		}, "stores", []string{"reader/watch-le", "allow_responses", "stream REPORTS"}},
		{"allow_responses of an agency", func(p *planted) {
			p.scope("le", "agency/fbi", func(s *jwt.UserScope) { s.Template.Resp = &jwt.ResponsePermission{MaxMsgs: 1} })
		}, "label", []string{"agency/fbi", "allow_responses", "stream REPORTS", "CUI LE"}},
		{"a stream copies another cell's", func(p *planted) {
			p.trade("fused", "le", "$JS.API.>", "FUSED.JS.API.>", jwt.Service)
			p.stream("le", picture, map[string]any{"sources": []any{map[string]any{"name": "REPORTS", "external": map[string]any{"api": "FUSED.JS.API"}}}})
		}, "label", []string{"reader/watch-le in le", "stream " + picture, top}},
		{"a stream mirrors another cell's", func(p *planted) {
			p.trade("fused", "le", "$JS.API.>", "FUSED.JS.API.>", jwt.Service)
			p.stream("le", picture, map[string]any{"mirror": map[string]any{"name": picture, "external": map[string]any{"api": "FUSED.JS.API"}}, "subjects": nil})
		}, "label", []string{"reader/watch-le in le", "stream " + picture, top}},
		{"a stream is sourced by what another cell delivers", func(p *planted) {
			p.trade("fused", "le", "up.le.>", "up.le.>", jwt.Stream)
			p.stream("le", picture, map[string]any{"sources": []any{map[string]any{"name": "REPORTS", "external": map[string]any{"api": "X", "deliver": "up.le"}}}})
		}, "label", []string{"reader/watch-le in le", "stream " + picture, top}},
		{"a stream copies from where nothing is known", func(p *planted) {
			p.stream("le", picture, map[string]any{"sources": []any{map[string]any{"name": "REPORTS", "external": map[string]any{"api": "$JS.hub.API"}}}})
		}, "stream", []string{"stream " + picture, "source REPORTS", "nothing is known"}},
		{"a stream copies what its readers may not see", func(p *planted) {
			p.stream("le", picture, map[string]any{"mirror": map[string]any{"name": "REPORTS"}, "republish": map[string]any{"src": ">", "dest": "_INBOX.fbi.x.>"}})
		}, "label", []string{"agency/fbi", "_INBOX.fbi", "stream " + picture, "republishes", "CUI LE"}},
		{"a stream captures another cell's by an import", func(p *planted) {
			p.trade("fused", "le", p.inlet("fused", subject.Reports).Of("report.>"), p.inlet("le", picture).Of("snapshot.actual.>"), jwt.Stream)
		}, "label", []string{"reader/watch-le in le", "live.actual.>", "stream " + picture, top}},
		{"an export", func(p *planted) {
			p.account("fused", func(c *jwt.AccountClaims) { c.Exports.Add(&jwt.Export{Subject: "report.>", Type: jwt.Stream}) })
		}, "export", []string{"account in fused", "exports report.>"}},
		{"an import of a higher cell's messages", func(p *planted) {
			p.trade("fused", "le", "live.>", "live.>", jwt.Stream)
		}, "label", []string{"reader/watch-le in le", "live.actual.>", "import of live.> from fused", top}},
		{"an import of a higher cell's API", func(p *planted) {
			p.trade("fused", "le", "$JS.API.DIRECT.GET.>", "up.>", jwt.Service)
			p.publish("le", "reader/watch-le", "up.REPORTS.>")
		}, "label", []string{"reader/watch-le in le", "publish up.REPORTS.>", "import of $JS.API.DIRECT.GET.> from fused", "stream REPORTS", top}},
		{"an import of the system account", func(p *planted) {
			p.account("le", func(c *jwt.AccountClaims) {
				c.Imports.Add(&jwt.Import{Account: p.w.System, Subject: "$SYS.ACCOUNT.>", LocalSubject: "live.actual.>", Type: jwt.Stream})
			})
		}, "label", []string{"reader/watch-le in le", "import of $SYS.ACCOUNT.> from SYS", "UNMARKED"}},
		{"a service of the system account", func(p *planted) {
			p.account("le", func(c *jwt.AccountClaims) {
				c.Imports.Add(&jwt.Import{Account: p.w.System, Subject: "$SYS.REQ.SERVER.PING", LocalSubject: "ping", Type: jwt.Service})
			})
			p.publish("le", "reader/watch-le", "ping")
		}, "label", []string{"reader/watch-le in le", "publish ping", "from SYS", "UNMARKED"}},
		{"a stream republishes where a lower cell hears it", func(p *planted) {
			p.stream("fused", picture, map[string]any{"republish": map[string]any{"src": ">", "dest": "shared.>"}})
			p.trade("fused", "le", "shared.>", "shared.>", jwt.Stream)
			p.subscribe("le", "reader/watch-le", "shared.>")
		}, "label", []string{"reader/watch-le in le", "subscribe shared.>", "import of shared.> from fused", "stream " + picture + " republishes", top}},
		{"a stream republishes into an inbox", func(p *planted) {
			p.stream("le", "REPORTS", map[string]any{"republish": map[string]any{"src": ">", "dest": "_INBOX.fbi.main.>"}})
		}, "label", []string{"agency/fbi in le", "_INBOX.fbi.", "stream REPORTS republishes", "CUI LE"}},
		{"a stream republishes reports as a picture", func(p *planted) {
			p.stream("le", "REFUSALS", map[string]any{"republish": map[string]any{"src": ">", "dest": "live.actual.>"}})
		}, "hears", []string{"reader/watch-le in le", "live.actual.>", "stream REFUSALS"}},
		{"a consumer delivers into an inbox", func(p *planted) {
			p.consumer("le", "fusion_le_actual", map[string]any{"deliver_subject": "_INBOX.fbi.main.x"})
		}, "label", []string{"agency/fbi in le", "consumer fusion_le_actual delivers", "stream REPORTS", "CUI LE"}},
		{"a consumer delivers into a picture", func(p *planted) {
			p.consumer("le", "fusion_le_actual", map[string]any{"deliver_subject": "live.actual.frame.1"})
		}, "hears", []string{"reader/watch-le in le", "consumer fusion_le_actual delivers"}},
		{"direct get of everything", func(p *planted) { p.publish("le", "agency/fbi", "$JS.API.DIRECT.GET.REPORTS.>") },
			"label", []string{"agency/fbi", "$JS.API.DIRECT.GET.REPORTS.>", "stream REPORTS", "CUI LE"}},
		{"direct get by sequence", func(p *planted) { p.publish("le", "reader/watch-le", "$JS.API.DIRECT.GET."+picture) },
			"gets", []string{"reader/watch-le", "$JS.API.DIRECT.GET." + picture}},
		{"direct get of any stream", func(p *planted) { p.publish("le", "reader/watch-noc", "$JS.API.DIRECT.GET.*.>") },
			"originator control", []string{"reader/watch-noc in le", "stream REPORTS", "orcon.*.>"}},
		{"a snapshot of a stream", func(p *planted) { p.publish("le", "reader/watch-noc", "$JS.API.STREAM.SNAPSHOT.REPORTS") },
			"originator control", []string{"reader/watch-noc in le", "$JS.API.STREAM.SNAPSHOT.REPORTS"}},
		{"restoring a stream", func(p *planted) { p.publish("le", "reader/watch-le", "$JS.API.STREAM.RESTORE.*") },
			"manages", []string{"reader/watch-le", "$JS.API.STREAM.RESTORE.*", "new streams"}},
		{"a consumer of one's own making", func(p *planted) { p.publish("le", "reader/watch-noc", "$JS.API.CONSUMER.CREATE.REPORTS.mine.report.>") },
			"originator control", []string{"reader/watch-noc in le", "$JS.API.CONSUMER.CREATE.REPORTS.mine"}},
		{"setting back another's consumer", func(p *planted) {
			p.publish("le", "reader/watch-le", "$JS.API.CONSUMER.RESET.REPORTS.fusion_le_actual")
		},
			"manages", []string{"reader/watch-le", "consumer fusion_le_actual"}},
		{"counts and subjects of a stream", func(p *planted) { p.publish("le", "agency/fbi", "$JS.API.STREAM.INFO.REPORTS") },
			"label", []string{"agency/fbi", "$JS.API.STREAM.INFO.REPORTS", "CUI LE"}},
		{"storing reports past the guard", func(p *planted) {
			p.publish("le", "agency/fbi", p.inlet("le", subject.Reports).Of("report.le.cui.le.actual.>"))
		},
			"stores", []string{"agency/fbi", "stream REPORTS"}},
		{"storing wherever something is taken in", func(p *planted) { p.publish("le", "reader/watch-le", "inlet.*.report.>") },
			"stores", []string{"reader/watch-le", "stream REPORTS"}},
		{"a stream takes in on its plain subjects again", func(p *planted) {
			p.stream("le", subject.Reports, map[string]any{"subjects": subject.ReportSubjects, "subject_transform": nil})
		}, "inlet", []string{"in le", "stream REPORTS", "takes in on report.>, which can be known"}},
		{"a reader's answers are stored by a plain subject", func(p *planted) {
			p.stream("le", subject.Reports, map[string]any{"subjects": subject.ReportSubjects, "subject_transform": nil})
		}, "answer", []string{"reader/watch-le in le", "publish $JS.", "the answer goes to report.>", "stream REPORTS"}},
		{"the guard's answers are stored as a picture", func(p *planted) {
			p.stream("le", picture, map[string]any{"subjects": subject.SnapshotSubjects(wf.Status_STATUS_ACTUAL), "subject_transform": nil})
		}, "answer", []string{"guard/guard in le", "the answer goes to snapshot.actual.>", "stream " + picture}},
		{"a stream takes in on a plain subject beside its inlet", func(p *planted) {
			p.stream("le", subject.Refusals, map[string]any{"subjects": append(p.inlet("le", subject.Refusals).All(subject.RefusalSubjects), "refusal.>")})
		}, "answer", []string{"reader/watch-noc in le", "the answer goes to refusal.>", "stream REFUSALS"}},
		{"a word that can be guessed", func(p *planted) {
			p.takeIn("le", subject.Reports, subject.NewInlet("reports"), subject.ReportSubjects...)
		}, "inlet", []string{"in le", "stream REPORTS", "which can be known"}},
		{"a wildcard for a word", func(p *planted) {
			p.stream("le", subject.Reports, map[string]any{"subjects": []string{"inlet.*.report.>"}})
		}, "answer", []string{"reader/watch-le in le", "stream REPORTS"}},
		{"a reader sees where a stream takes in", func(p *planted) { p.publish("le", "reader/watch-le", "$JS.API.STREAM.INFO.REFUSALS") },
			"answer", []string{"reader/watch-le in le", "STREAM.INFO.REFUSALS", "the configuration of stream REFUSALS", "the answer goes to inlet."}},
		{"a worker lists the streams of a cell below", func(p *planted) { p.publish("le", "worker/fused", "$JS.API.STREAM.LIST") },
			"answer", []string{"worker/fused in le", "STREAM.LIST", "the configuration of stream REPORTS"}},
		{"one word in two cells", func(p *planted) {
			p.takeIn("le", picture, p.inlet("fused", picture), subject.SnapshotSubjects(wf.Status_STATUS_ACTUAL)...)
		}, "inlet", []string{"stream " + picture, "by the same word as " + picture + " of "}},
		{"one word in two cells, of which somebody writes the one and reads the other", func(p *planted) {
			p.takeIn("le", picture, p.inlet("fused", picture), subject.SnapshotSubjects(wf.Status_STATUS_ACTUAL)...)
		}, "answer", []string{"worker/fused in le", "in fused", "stream " + picture}},
		{"one word for two streams", func(p *planted) {
			p.takeIn("le", picture, p.inlet("le", subject.Reports), subject.SnapshotSubjects(wf.Status_STATUS_ACTUAL)...)
		}, "answer", []string{"guard/guard in le", "stream " + picture}},
		{"a stream stores under the word", func(p *planted) {
			p.stream("le", subject.Reports, map[string]any{"subject_transform": nil})
		}, "inlet", []string{"stream REPORTS", "who reads a message reads where the stream takes in"}},
		{"a consumer tells the word", func(p *planted) {
			p.consumer("le", "feed_watch-le_all", map[string]any{"description": p.inlet("le", subject.Refusals).Word()})
		}, "inlet", []string{"consumer feed_watch-le_all", "tells where REFUSALS of le takes in"}},
		{"a stream republishes under a word", func(p *planted) {
			p.stream("le", picture, map[string]any{"republish": map[string]any{"src": ">", "dest": "live." + p.inlet("le", picture).Word() + ".>"}})
		}, "inlet", []string{"stream " + picture + " republishes", "tells where"}},
		{"a forged picture", func(p *planted) { p.publish("le", "reader/watch-le", "live.actual.>") },
			"speaks", []string{"reader/watch-le", "reader/feed-le listens"}},
		{"a worker below writes the picture", func(p *planted) { p.publish("le", "worker/fused", p.inlet("le", picture).Of("snapshot.actual.>")) },
			"stores", []string{"worker/fused in le", "stream " + picture}},
		{"forged answers", func(p *planted) { p.publish("le", "reader/watch-le", "_INBOX.fbi.>") },
			"answers", []string{"reader/watch-le", "inbox of agency/fbi"}},
		{"a guard that answers readers", func(p *planted) { p.publish("le", "guard/guard", "_INBOX.>") },
			"answers", []string{"guard/guard in le", "inbox of reader/"}},
		{"leaf nodes", func(p *planted) { p.account("le", func(c *jwt.AccountClaims) { c.Limits.LeafNodeConn = -1 }) },
			"account", []string{"account in le", "leaf nodes"}},
		{"a credential for leaf nodes", func(p *planted) {
			p.scope("le", "reader/watch-le", func(s *jwt.UserScope) { s.Template.AllowedConnectionTypes.Add(jwt.ConnectionTypeLeafnode) })
		}, "credential", []string{"reader/watch-le", "LEAFNODE"}},
		{"a credential for every kind of connection", func(p *planted) {
			p.scope("le", "reader/watch-le", func(s *jwt.UserScope) { s.Template.AllowedConnectionTypes = nil })
		}, "credential", []string{"reader/watch-le", "every kind of connection"}},
		{"mapped subjects", func(p *planted) {
			p.account("le", func(c *jwt.AccountClaims) { c.Mappings = jwt.Mapping{"submit.>": {{Subject: "live.actual.x"}}} })
		}, "account", []string{"maps subjects"}},
		{"traces", func(p *planted) {
			p.account("le", func(c *jwt.AccountClaims) { c.Trace = &jwt.MsgTrace{Destination: "x"} })
		},
			"account", []string{"traces"}},
		{"an outside service that signs people in", func(p *planted) {
			p.account("le", func(c *jwt.AccountClaims) {
				kp, err := nkeys.CreateUser()
				if err != nil {
					t.Fatal(err)
				}
				key, _ := kp.PublicKey()
				c.Authorization.AuthUsers.Add(key)
			})
		}, "account", []string{"outside service"}},
		{"somebody signs in to the system account", func(p *planted) {
			p.account("SYS", func(c *jwt.AccountClaims) { c.SigningKeys.Add(p.newKey()) })
		}, "account", []string{"account in SYS"}},
		{"rollups", func(p *planted) { p.stream("le", "REPORTS", map[string]any{"allow_rollup_hdrs": true}) },
			"stream", []string{"allow_rollup_hdrs"}},
		{"schedules", func(p *planted) { p.stream("le", "REPORTS", map[string]any{"allow_msg_schedules": true}) },
			"stream", []string{"allow_msg_schedules"}},
		{"a key of a stream that nobody has reviewed", func(p *planted) { p.stream("le", "REPORTS", map[string]any{"teleport": "fused"}) },
			"stream", []string{"sets teleport"}},
		{"a key of a consumer that nobody has reviewed", func(p *planted) { p.consumer("le", "fusion_le_actual", map[string]any{"teleport": true}) },
			"stream", []string{"sets teleport"}},
		{"a stream more", func(p *planted) {
			c := p.cell("le")
			c.Streams = append(c.Streams, []byte(`{"name":"COPY","subjects":["copy.>"]}`))
		}, "stream", []string{"stream COPY", "none that a cell has"}},
		{"a right to what does not exist", func(p *planted) { p.publish("le", "reader/watch-le", next1("feed_watch-le_gone")) },
			"unused", []string{"reader/watch-le", "feed_watch-le_gone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &planted{t, clone(shipped)}
			c.plant(p)
			found := proof.Prove(p.w)
			if !slices.ContainsFunc(found.Leaks, func(l proof.Leak) bool { return l.Kind == c.kind && says(l.String(), c.want) }) {
				t.Errorf("no leak %q that says %q among %d:", c.kind, c.want, len(found.Leaks))
				for _, l := range found.Leaks[:min(len(found.Leaks), 12)] {
					t.Log(l)
				}
			}
			if found.Err() == nil {
				t.Error("the world is taken")
			}
		})
	}
}

func clone(w proof.World) proof.World {
	w.Accounts, w.Users, w.Cells = slices.Clone(w.Accounts), slices.Clone(w.Users), slices.Clone(w.Cells)
	w.Doors, w.Tokens = slices.Clone(w.Doors), slices.Clone(w.Tokens)
	for i := range w.Cells {
		w.Cells[i].Streams, w.Cells[i].Consumers = slices.Clone(w.Cells[i].Streams), slices.Clone(w.Cells[i].Consumers)
	}
	return w
}

func says(line string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) })
}
