package narrative

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxChunk is the longest text without spaces that is looked at as a whole.
const maxChunk = 2048

// chunk reads what machines write as one word: addresses, links, hashes. It
// looks at the text up to the next space.
func (s *scan) chunk(i int) int {
	start := int(s.toks[i].start)
	end, j := start, i
	for j < len(s.toks) && (j == i || !s.toks[j].gap) && int(s.toks[j].end)-start <= maxChunk {
		end = int(s.toks[j].end)
		j++
	}
	c := trimChunk(s.low[start:end])
	if len(c) < 5 {
		return i
	}
	next := i
	for next < j && int(s.toks[next].end) <= start+len(c) {
		next++
	}
	switch k, id, why := s.machine(c, s.text[start:start+len(c)], i); {
	case id == nil && k != "":
		return next // what it looks like is not kept, and nothing else either
	case id != nil:
		s.identify(k, id, nil, i, next, why)
		return next
	}
	return i
}

// trimChunk cuts off what follows a link in a sentence.
func trimChunk(c string) string {
	if i := strings.IndexAny(c, ",;\"<>|\n"); i >= 0 {
		c = c[:i]
	}
	c = strings.TrimRight(c, ".:!?'*")
	for len(c) > 0 && (c[len(c)-1] == ')' && strings.Count(c, ")") > strings.Count(c, "(") || c[len(c)-1] == ']' && strings.Count(c, "]") > strings.Count(c, "[")) {
		c = strings.TrimRight(c[:len(c)-1], ".:!?'")
	}
	return c
}

// machine tells what a chunk is by the marks it holds.
func (s *scan) machine(c, raw string, i int) (Kind, *wf.Identifier, string) {
	fanged := !strings.Contains(c, "[") && !strings.HasPrefix(c, "hxxp") && !strings.Contains(c, "(dot)")
	switch {
	case strings.Contains(c, "://") || strings.HasPrefix(c, "hxxp") || strings.HasPrefix(c, "www."):
		return s.link(c, raw, fanged)
	case strings.Contains(c, "@") && c[0] != '@', strings.Contains(c, "[at]"), strings.Contains(c, "(at)"):
		return of(Email, raw, "an @ between a name and a host")
	case strings.HasPrefix(c, "cve-"):
		return of(CVE, raw, "CVE-YYYY-N")
	case c[0] == '/' && len(c) > 40:
		return s.vtec(strings.ToUpper(c))
	case hexChunk(c):
		return of(Hash, raw, "hexadecimal of the length of a hash")
	case len(c) == 17 && (c[2] == ':' || c[2] == '-'):
		return of(MAC, raw, "six pairs of hexadecimal digits")
	case len(c) == 17 && strings.ContainsAny(c, "0123456789") && report.VIN(strings.ToUpper(c)):
		return of(VIN, raw, "17 characters whose check digit holds")
	case strings.Count(c, ":") >= 2:
		return s.six(c)
	case strings.Contains(c, "."), strings.Contains(c, "[dot]"), strings.Contains(c, "(dot)"):
		return s.dotted(c, raw, i, fanged)
	}
	return "", nil, ""
}

func of(k Kind, raw, why string) (Kind, *wf.Identifier, string) {
	id, err := normal.Identifier(identifierTypes[k], raw, normal.Hints{})
	if err != nil {
		return "", nil, ""
	}
	return k, id, why
}

// identifierTypes are the types of the kinds that are identifiers.
var identifierTypes = map[Kind]wf.IdentifierType{
	Phone: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Email: wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, URL: wf.IdentifierType_IDENTIFIER_TYPE_URL,
	Domain: wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, IP: wf.IdentifierType_IDENTIFIER_TYPE_IP, CIDR: wf.IdentifierType_IDENTIFIER_TYPE_CIDR,
	MAC: wf.IdentifierType_IDENTIFIER_TYPE_MAC, Hash: wf.IdentifierType_IDENTIFIER_TYPE_HASH, CVE: wf.IdentifierType_IDENTIFIER_TYPE_CVE,
	VIN: wf.IdentifierType_IDENTIFIER_TYPE_VIN, Plate: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, License: wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE,
	Passport: wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, SSN: wf.IdentifierType_IDENTIFIER_TYPE_SSN, FBI: wf.IdentifierType_IDENTIFIER_TYPE_FBI,
	IMEI: wf.IdentifierType_IDENTIFIER_TYPE_IMEI, Serial: wf.IdentifierType_IDENTIFIER_TYPE_SERIAL, Account: wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT,
	Case: wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER, Tail: wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER, IMO: wf.IdentifierType_IDENTIFIER_TYPE_IMO,
	MMSI: wf.IdentifierType_IDENTIFIER_TYPE_MMSI, VTEC: wf.IdentifierType_IDENTIFIER_TYPE_VTEC, Storm: wf.IdentifierType_IDENTIFIER_TYPE_STORM,
}

// link is a URL; of www.host the host alone. Government and the large public
// platforms tell nothing of an event unless somebody made the link unclickable.
func (s *scan) link(c, raw string, fanged bool) (Kind, *wf.Identifier, string) {
	if strings.HasPrefix(c, "www.") {
		host, _, _ := strings.Cut(c, "/")
		if fanged && ordinary(host) {
			return Domain, nil, ""
		}
		return of(Domain, host, "www. before a host")
	}
	k, id, why := of(URL, raw, "a scheme before a host")
	if id == nil {
		return URL, nil, ""
	}
	_, host, _ := strings.Cut(id.GetValue(), "://")
	if i := strings.IndexAny(host, "/:?"); i >= 0 {
		host = host[:i]
	}
	if fanged && ordinary(host) {
		return URL, nil, ""
	}
	return k, id, why
}

// ordinary says whether a host is one that everybody links to.
func ordinary(host string) bool {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if last == "gov" || last == "mil" || len(labels) > 2 && last == "us" {
		return true
	}
	return len(labels) > 1 && slices.Contains(platforms, strings.Join(labels[len(labels)-2:], "."))
}

var platforms = strings.Fields(`gmail.com google.com youtube.com youtu.be facebook.com twitter.com x.com instagram.com wikipedia.org microsoft.com apple.com amazon.com linkedin.com
 github.com reddit.com tiktok.com yahoo.com outlook.com hotmail.com craigslist.org adobe.com mozilla.org cloudflare.com stopbullying.org redcross.org crimestoppers.org virustotal.com mitre.org nist.org`)

func hexChunk(c string) bool {
	if n := len(c); n != 32 && n != 40 && n != 64 && n != 128 {
		return false
	}
	digits := 0
	for i := range len(c) {
		switch {
		case isDigit(c[i]):
			digits++
		case c[i] < 'a' || c[i] > 'f':
			return false
		}
	}
	return digits > 0 && digits < len(c)
}

// six is an address of IPv6, or a prefix.
func (s *scan) six(c string) (Kind, *wf.Identifier, string) {
	if strings.Count(c, ":") < 7 && !strings.Contains(c, "::") || len(strings.Trim(c, ":")) < 4 {
		return "", nil, ""
	}
	if strings.Contains(c, "/") {
		return of(CIDR, c, "an IPv6 prefix")
	}
	return of(IP, c, "an IPv6 address")
}

// dotted is an IPv4 address, a prefix or a host.
func (s *scan) dotted(c, raw string, i int, fanged bool) (Kind, *wf.Identifier, string) {
	plain := strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "(dot)", ".", "{.}", ".").Replace(c)
	if isDigit(plain[0]) {
		if k, id, why := s.four(plain, i, fanged); k != "" {
			return k, id, why
		}
	}
	host, _, _ := strings.Cut(plain, "/")
	if h, port, found := strings.Cut(host, ":"); found && strings.Trim(port, "0123456789") == "" {
		host = h
	}
	if !s.domain(host, raw, i, fanged) {
		return "", nil, ""
	}
	if fanged && ordinary(host) {
		return Domain, nil, ""
	}
	return of(Domain, host, "a host name under a known top-level domain")
}

func (s *scan) four(c string, i int, fanged bool) (Kind, *wf.Identifier, string) {
	host, rest, prefix := strings.Cut(c, "/")
	if h, _, port := strings.Cut(host, ":"); port {
		host = h
	}
	a, err := netip.ParseAddr(host)
	if err != nil || !a.Is4() {
		return "", nil, ""
	}
	if w := s.word(i - 1); w == "version" || w == "v" || w == "ver" || w == "section" || w == "firmware" || w == "build" || w == "release" || w == "para" || w == "paragraph" {
		return IP, nil, ""
	}
	if fanged && len(host) <= 7 && !s.near(i, 6, netCue) { // 4.1.2.3 is a section or a version
		return IP, nil, ""
	}
	if prefix && len(rest) <= 2 {
		return of(CIDR, c, "an IPv4 prefix")
	}
	return of(IP, host, "four octets")
}

// domain says whether a dotted word is meant as a host.
func (s *scan) domain(host, raw string, i int, fanged bool) bool {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if !report.Hostname(host) || len(labels[0]) < 2 || strings.ContainsAny(host, "_'") {
		return false
	}
	if !fanged {
		return len(last) >= 2 && isLower(last[0])
	}
	switch {
	case slices.Contains(sureTLDs, last):
		return true
	case slices.Contains(wordTLDs, last):
		// "said.no" is a missing space: a word of the language before it is no host.
		return len(labels) > 2 || strings.ContainsAny(labels[0], "0123456789-") || s.near(i, 4, netCue)
	}
	return false
}

var (
	sureTLDs = strings.Fields(`com net org info biz edu gov mil int example test invalid xyz top site online club shop app dev cloud tech store live io co uk de ru cn fr nl eu br jp kr pl ir ua tk ml ga cf gq cc tv ws su onion arpa mobi name pro`)
	wordTLDs = strings.Fields(`us it is in me to at be by so no my am as do la ms mo ca al ai mx ch cz se es fi dk gr hu ro sk rs tr il za au nz sg hk tw th vn id ph pk bd sa ae kz by lt lv ee hr bg pt ie`)
)

// vtec is a primary VTEC string; a test product has no event.
func (s *scan) vtec(c string) (Kind, *wf.Identifier, string) {
	p := strings.Split(strings.Trim(c, "/"), ".")
	if len(p) != 7 || len(p[0]) != 1 || p[0] == "T" || len(p[6]) < 25 {
		return "", nil, ""
	}
	year := s.ctx.Reported.UTC().Year()
	if yy, err := strconv.Atoi(p[6][:2]); err == nil && p[6][:6] != "000000" {
		year = 2000 + yy
	} else if s.ctx.Reported.IsZero() {
		return VTEC, nil, ""
	}
	return of(VTEC, p[2]+"."+p[3]+"."+p[4]+"."+p[5]+"."+strconv.Itoa(year), "a VTEC string")
}

// handle is @name of a service that the text names beside it.
func (s *scan) handle(i int) int {
	j := i + 1
	if t := s.tok(j); t.shape == symbol && !s.symbolAt(j, "_") || t.gap || j >= len(s.toks) {
		return i
	}
	for j < len(s.toks) && s.glued(j) && (s.toks[j].shape != symbol || s.symbolAt(j, "_") || s.symbolAt(j, ".") && s.glued(j+1) && s.tok(j+1).shape != symbol) {
		j++
	}
	name := s.span(i+1, j)
	if len(name) < 3 || len(name) > 32 {
		return i
	}
	where := s.service(i, j)
	if where == "" && !s.near(i, 4, cue) {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, name, normal.Hints{Issuer: where})
	if !s.identify(Account, id, err, i, j, "@name") {
		return i
	}
	return j
}

// service is the service named just before token i or just after j.
func (s *scan) service(i, j int) string {
	for k := j; k < j+4; k++ {
		if s.is(k, service) {
			return s.word(k)
		}
		if s.ends(k) && k > j {
			break
		}
	}
	for k := i - 1; k >= 0 && k > i-7; k-- {
		if s.is(k, service) {
			return s.word(k)
		}
	}
	return ""
}
