package fusion

import (
	"cmp"
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// mentions counts the things that several members speak of, and what was
// given no weight.
func (e *Engine) mentions(s *wf.Situation, g *gathering) {
	slices.SortFunc(g.seen, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.key, b.key), strings.Compare(a.value, b.value), cmp.Compare(a.kind, b.kind))
	})
	for i := 0; i < len(g.seen); {
		j := i + 1
		for j < len(g.seen) && g.seen[j].key == g.seen[i].key {
			j++
		}
		if j > i+1 {
			e.mention(s, g, g.seen[i:j])
		}
		i = j
	}
	slices.SortFunc(s.Mentions, func(a, b *wf.Mention) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
	})
	s.Mentions = slices.Clip(s.Mentions[:min(len(s.Mentions), maxMentions)])
	slices.SortFunc(s.Ignored, func(a, b *wf.Ignored) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Value, b.Value))
	})
	s.Ignored = slices.Clip(s.Ignored[:min(len(s.Ignored), maxIgnored)])
}

// mention enters one thing that a run of members names.
func (e *Engine) mention(s *wf.Situation, g *gathering, run []sighting) {
	k, v := run[0].key, run[0].value
	if k.kind() == keyPersonNumber {
		v = masked(v)
	}
	if run[0].kind == wNone {
		s.Ignored = append(s.Ignored, &wf.Ignored{Kind: kindName(k), Value: v, Reason: "stop-list", Members: uint32(len(run))})
		return
	}
	s.Mentions = append(s.Mentions, &wf.Mention{Kind: kindName(k), Value: v, Members: uint32(len(run))})
	if slices.ContainsFunc(run, func(x sighting) bool { return e.hub(k, g.all[x.who].time) }) {
		s.Ignored = append(s.Ignored, &wf.Ignored{Kind: kindName(k), Value: v, Reason: "hub", Members: uint32(len(run))})
	}
}

var kindNames = [keyTypes]string{
	keyReference: "reference", keyPersonNumber: "person-number", keyVIN: "vin", keyHash: "hash", keyDevice: "device-number",
	keyCraft: "craft", keyEvent: "event-key", keySerial: "serial", keyPlate: "plate", keyPhone: "phone", keyEmail: "e-mail",
	keyAccount: "account", keyURL: "url", keyAddress: "address", keyDomain: "domain", keyIP: "ip", keyCIDR: "cidr",
	keyObject: "object", keyOtherID: "other-id", keyOrganization: "organization", keyWork: "work", keyTarget: "target",
	keyMalware: "malware", keyCVE: "cve",
}

func kindName(k key) string {
	if t := k.kind(); t < keyTypes {
		return kindNames[t]
	}
	return ""
}
