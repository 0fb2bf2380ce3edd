package stix

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// patternIdentifiers lists the identifiers that a STIX pattern tests for
// equality (=, IN), each once, in order. Negated tests, LIKE and MATCHES name
// no single thing and are passed over.
func patternIdentifiers(pattern string) []*wf.Identifier {
	var out []*wf.Identifier
	seen := map[string]bool{}
	toks := tokens(pattern)
	service := accountService(toks)
	for i := 0; i < len(toks); i++ {
		if toks[i].kind != pathToken || i+1 >= len(toks) {
			continue
		}
		values := equalTo(toks[i+1:])
		for _, v := range values {
			id := pathIdentifier(toks[i].text, v, service)
			if id == nil || seen[id.Type.String()+id.Issuer+id.Value] {
				continue
			}
			seen[id.Type.String()+id.Issuer+id.Value] = true
			out = append(out, id)
		}
	}
	return out
}

// equalTo reads "= 'x'" or "IN ('x', 'y')".
func equalTo(toks []token) []string {
	switch {
	case toks[0].kind == wordToken && (toks[0].text == "=" || toks[0].text == "=="):
		if len(toks) > 1 && toks[1].kind == stringToken {
			return []string{toks[1].text}
		}
	case toks[0].kind == wordToken && strings.EqualFold(toks[0].text, "IN"):
		var out []string
		for _, t := range toks[1:] {
			switch {
			case t.kind == stringToken:
				out = append(out, t.text)
			case t.kind != wordToken || t.text == ")":
				return out
			}
		}
		return out
	}
	return nil
}

type tokenKind int

const (
	wordToken tokenKind = iota
	pathToken
	stringToken
)

type token struct {
	kind tokenKind
	text string
}

// tokens splits a pattern; it never fails, because what it does not
// understand names no identifier.
func tokens(s string) []token {
	var out []token
	for i := 0; i < len(s); {
		switch b := s[i]; {
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
			i++
		case b == '\'':
			text, n := literal(s[i:])
			out = append(out, token{stringToken, text})
			i += n
		case strings.IndexByte("[](),", b) >= 0:
			out = append(out, token{wordToken, s[i : i+1]})
			i++
		case strings.IndexByte("=!<>", b) >= 0:
			n := 1
			for i+n < len(s) && strings.IndexByte("=<>", s[i+n]) >= 0 {
				n++
			}
			out = append(out, token{wordToken, s[i : i+n]})
			i += n
		default:
			text := pathOrWord(s[i:])
			kind := wordToken
			if strings.Contains(text, ":") {
				kind = pathToken
			}
			out = append(out, token{kind, text})
			i += len(text)
		}
	}
	return out
}

// literal reads a quoted string with its escapes and says how long it was.
func literal(s string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '\'':
			return b.String(), i + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), len(s)
}

// pathOrWord reads an object path (file:hashes.'SHA-256', list[*].x) or a word.
func pathOrWord(s string) string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			_, n := literal(s[i:])
			i += n - 1
		case '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 || i == 0 {
				return s[:max(i, 1)]
			}
			i += end
		case ' ', '\t', '\n', '\r', '=', '!', '<', '>', '(', ')', ']', ',':
			return s[:max(i, 1)]
		}
	}
	return s
}

// accountService is the account type that the pattern tests for, if it is one.
func accountService(toks []token) string {
	service := ""
	for i, t := range toks {
		if t.kind != pathToken || t.text != "user-account:account_type" || i+1 >= len(toks) {
			continue
		}
		values := equalTo(toks[i+1:])
		if len(values) != 1 || service != "" && service != values[0] {
			return ""
		}
		service = values[0]
	}
	return service
}

// pathIdentifier is the identifier that a path with this value names.
func pathIdentifier(path, value, service string) *wf.Identifier {
	typ, rest, _ := strings.Cut(path, ":")
	if i := strings.LastIndex(rest, "hashes."); i >= 0 {
		return hash(rest[i+len("hashes."):], value)
	}
	switch {
	case rest == "value":
		return addressIdentifier(typ, value)
	case typ == "user-account" && (rest == "user_id" || rest == "account_login"):
		return account(value, service)
	case typ == "email-message" && (strings.HasSuffix(rest, "_ref.value") || strings.HasSuffix(rest, "_refs[*].value")):
		return addressIdentifier("email-addr", value)
	case strings.HasSuffix(rest, "src_ref.value") || strings.HasSuffix(rest, "dst_ref.value"):
		if id := ip(value); id != nil {
			return id
		}
		return addressIdentifier("domain-name", value)
	}
	return nil
}
