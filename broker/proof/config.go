package proof

import (
	"encoding/json"
	"fmt"
	"slices"
)

// store is a stream as it would run.
type store struct {
	name      string
	captures  []pattern // what it takes in
	kept      []pattern // what it keeps, after its transform
	republish []mapping
	sources   []source
	drains    []*drain
	// content names the accounts whose messages may lie in it.
	content set
}

// mapping moves messages from one subject to another.
type mapping struct{ from, to pattern }

// source is where a stream copies from.
type source struct {
	stream string
	// api and deliver are the prefixes of another account's stream; empty
	// within the account.
	api, deliver string
}

// drain is a consumer.
type drain struct {
	name    string
	text    string // as it is configured
	filters []pattern
	deliver pattern // nil when it is pulled
}

// Keys of a stream that say nothing about where messages go.
var plainStream = []string{"name", "description", "retention", "max_consumers", "max_msgs", "max_bytes", "discard", "discard_new_per_subject",
	"max_age", "max_msgs_per_subject", "max_msg_size", "storage", "num_replicas", "no_ack", "duplicate_window", "placement", "sealed",
	"deny_delete", "deny_purge", "compression", "first_seq", "allow_direct", "consumer_limits", "metadata", "allow_atomic", "persist_mode"}

// Keys of a consumer that say nothing about where messages go.
var plainConsumer = []string{"name", "durable_name", "description", "deliver_policy", "opt_start_seq", "opt_start_time", "ack_policy", "ack_wait",
	"max_deliver", "backoff", "replay_policy", "rate_limit_bps", "max_waiting", "max_ack_pending", "headers_only", "max_batch", "max_expires",
	"max_bytes", "inactive_threshold", "num_replicas", "mem_storage", "metadata", "deliver_group", "flow_control", "idle_heartbeat"}

type transformConfig struct {
	Source      string `json:"src"`
	Destination string `json:"dest"`
}

type sourceConfig struct {
	Name     string `json:"name"`
	External *struct {
		API     string `json:"api"`
		Deliver string `json:"deliver"`
	} `json:"external"`
}

type streamConfig struct {
	Name      string           `json:"name"`
	Subjects  []string         `json:"subjects"`
	Transform *transformConfig `json:"subject_transform"`
	Republish *transformConfig `json:"republish"`
	Mirror    *sourceConfig    `json:"mirror"`
	Sources   []*sourceConfig  `json:"sources"`
}

type consumerConfig struct {
	Name    string   `json:"name"`
	Durable string   `json:"durable_name"`
	Filter  string   `json:"filter_subject"`
	Filters []string `json:"filter_subjects"`
	Deliver string   `json:"deliver_subject"`
}

// understood decodes a configuration whose every key is either read or plain:
// another key that is set may do anything.
func understood(data []byte, into any, read, plain []string) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return err
	}
	for k, v := range keys {
		switch string(v) {
		case "false", "0", `""`, "null", "[]", "{}":
			continue
		}
		if !slices.Contains(read, k) && !slices.Contains(plain, k) {
			return fmt.Errorf("sets %s, which is not understood", k)
		}
	}
	return json.Unmarshal(data, into)
}

func readStream(data []byte) (*store, error) {
	var c streamConfig
	if err := understood(data, &c, []string{"subjects", "subject_transform", "republish", "mirror", "sources"}, plainStream); err != nil {
		return nil, err
	}
	s := &store{name: c.Name, content: set{}}
	for _, text := range c.Subjects {
		p, ok := parse(text)
		if !ok {
			return nil, fmt.Errorf("captures %q, which is no subject", text)
		}
		s.captures = append(s.captures, p)
	}
	s.kept = s.captures
	if c.Transform != nil {
		m, err := readMapping(*c.Transform)
		if err != nil {
			return nil, err
		}
		s.kept = m.over(s.captures)
	}
	if c.Republish != nil {
		m, err := readMapping(*c.Republish)
		if err != nil {
			return nil, err
		}
		s.republish = []mapping{m}
	}
	for _, from := range append(c.Sources, c.Mirror) {
		if from == nil {
			continue
		}
		src := source{stream: from.Name}
		if from.External != nil {
			src.api, src.deliver = from.External.API, from.External.Deliver
		}
		s.sources = append(s.sources, src)
	}
	if len(s.sources) > 0 {
		// What is copied keeps its subject, or gets any.
		s.kept = []pattern{fixed(">")}
	}
	return s, nil
}

func readMapping(c transformConfig) (mapping, error) {
	if c.Source == "" {
		c.Source = ">"
	}
	from, ok := parse(c.Source)
	to, ok2 := parse(widened(c.Destination, "{{", "$"))
	if !ok || !ok2 {
		return mapping{}, fmt.Errorf("maps %q to %q, which are no subjects", c.Source, c.Destination)
	}
	return mapping{from, to}, nil
}

// over is where messages of these subjects are after the mapping.
func (m mapping) over(in []pattern) []pattern {
	var out []pattern
	n := len(m.from) - 1
	strips := m.to.String() == ">" && m.from[n] == ">" && !slices.Contains(m.from[:n], "*")
	for _, p := range in {
		switch {
		case strips && within(p, m.from):
			out = append(out, p[n:])
		case touches(p, m.from):
			out = append(out, m.to)
		}
		if !within(p, m.from) {
			out = append(out, p)
		}
	}
	return out
}

func readConsumer(data []byte) (*drain, error) {
	var c consumerConfig
	if err := understood(data, &c, []string{"filter_subject", "filter_subjects", "deliver_subject"}, plainConsumer); err != nil {
		return nil, err
	}
	d := &drain{name: c.Name, text: string(data)}
	if d.name == "" {
		d.name = c.Durable
	}
	if c.Filter != "" {
		c.Filters = append(c.Filters, c.Filter)
	}
	if len(c.Filters) == 0 {
		c.Filters = []string{">"}
	}
	for _, text := range c.Filters {
		p, ok := parse(text)
		if !ok {
			return nil, fmt.Errorf("filters %q, which is no subject", text)
		}
		d.filters = append(d.filters, p)
	}
	if c.Deliver != "" {
		p, ok := parse(c.Deliver)
		if !ok {
			return nil, fmt.Errorf("delivers to %q, which is no subject", c.Deliver)
		}
		d.deliver = p
	}
	return d, nil
}

// set is a set of accounts, by public key.
type set map[string]bool

// add joins o to s and says whether s grew.
func (s set) add(o set) bool {
	before := len(s)
	for k := range o {
		s[k] = true
	}
	return len(s) > before
}
