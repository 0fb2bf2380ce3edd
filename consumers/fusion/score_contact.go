package fusion

import (
	"net/netip"
	"strings"
)

// emailNear compares two addresses of mail that are not the same: a typo, or
// the same box at another host.
func (p *pairing) emailNear(x, y string) (weight, int32) {
	bx, hx, okx := strings.Cut(x, "@")
	by, hy, oky := strings.Cut(y, "@")
	if !okx || !oky {
		return wNone, 0
	}
	switch {
	case bx == by && hx != hy && len(bx) >= 6 && !typed(hx, hy, 6):
		return wEmailBox, p.w(wEmailBox)
	case typed(bx, by, 4) && !numbered(bx, by) && typed(hx, hy, 6):
		return wEmailClose, p.w(wEmailClose)
	}
	return wNone, 0
}

// typed says whether one text is the other with a typo, or with two where it is
// half as long again as what one typo takes.
func typed(x, y string, least int) bool {
	n := min(len(x), len(y))
	return x == y || n >= least && oneEdit(x, y) || n >= least+least/2 && twoEdits(x, y)
}

// numbered says whether two boxes differ in their digits alone: kim12 and kim15
// are two people of one name.
func numbered(x, y string) bool {
	letters := func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}
	return x != y && strings.Map(letters, x) == strings.Map(letters, y)
}

// emailKeys propose by the box and, for a typo in it, by its host: a mail host
// that everybody uses proposes nothing.
func (x *extraction) emailKeys(v string) {
	box, host, ok := strings.Cut(v, "@")
	if !ok {
		return
	}
	if len(box) >= 3 {
		x.key(keyEmailClose, hashParts("box", box))
	}
	if !mailHosts[host] {
		x.key(keyEmailClose, hashParts("host", host))
	}
}

// networkKeys propose an address by its prefixes of 24 and 16 bits (IPv6: 64
// and 48), and a prefix by the widest of those that it lies in.
func (x *extraction) networkKeys(v string) {
	if c, err := netip.ParsePrefix(v); err == nil {
		fine, coarse := prefixes(c.Addr())
		switch {
		case c.Bits() >= fine.Bits():
			x.key(keyNetwork, hashString(fine.String()))
		case c.Bits() >= coarse.Bits():
			x.key(keyNetwork, hashString(coarse.String()))
		}
		return
	}
	if a, err := netip.ParseAddr(v); err == nil {
		fine, coarse := prefixes(a)
		x.key(keyNetwork, hashString(fine.String()))
		x.key(keyNetwork, hashString(coarse.String()))
	}
}

func prefixes(a netip.Addr) (fine, coarse netip.Prefix) {
	f, c := 24, 16
	if a.Is6() {
		f, c = 64, 48
	}
	fine, _ = a.Prefix(f)
	coarse, _ = a.Prefix(c)
	return fine, coarse
}

// networks adds the best of: an address in a prefix that the other names, a
// prefix in a prefix, two addresses of one small network.
func (p *pairing) networks(a, b *facts) {
	var best int32
	var kind weight
	var value string
	try := func(xs, ys []mark) {
		for i := range min(len(xs), 8) {
			for j := range min(len(ys), 8) {
				k, bits := p.network(xs[i].value, ys[j].value)
				if v := shown(&xs[i], &ys[j]); bits > best || bits == best && bits > 0 && v < value {
					best, kind, value = bits, k, v
				}
			}
		}
	}
	ipA, netA := a.of(keyIP), a.of(keyCIDR)
	ipB, netB := b.of(keyIP), b.of(keyCIDR)
	try(ipA, ipB)
	try(ipA, netB)
	try(ipB, netA)
	try(netA, netB)
	if best > 0 {
		p.add(kind, value, best)
	}
}

// network compares an address or prefix with another; equal ones have counted.
func (p *pairing) network(x, y string) (weight, int32) {
	if x == y {
		return wNone, 0
	}
	px, okx := prefixOf(x)
	py, oky := prefixOf(y)
	if !okx || !oky || px.Addr().Is4() != py.Addr().Is4() {
		return wNone, 0
	}
	if px.Bits() > py.Bits() {
		px, py = py, px
	}
	whole := py.Addr().BitLen()
	if px.Bits() == whole { // two addresses
		if fx, _ := prefixes(px.Addr()); fx.Contains(py.Addr()) {
			return wNetwork, p.w(wNetwork)
		}
		return wNone, 0
	}
	if !px.Contains(py.Addr()) {
		return wNone, 0
	}
	fine := 24
	if whole == 128 {
		fine = 64
	}
	return wCIDR, max(0, p.w(wCIDR)-500*int32(max(0, fine-px.Bits())))
}

func prefixOf(v string) (netip.Prefix, bool) {
	if c, err := netip.ParsePrefix(v); err == nil {
		return c.Masked(), true
	}
	a, err := netip.ParseAddr(v)
	if err != nil {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}

// site is the registered domain of a host: its last two labels, or three where
// a country has its own co, com, org and the like. It is empty for hosts whose
// names anybody can have, and for the host that is the site itself.
func site(host string) string {
	i := strings.LastIndexByte(host, '.')
	if i <= 0 {
		return ""
	}
	j := strings.LastIndexByte(host[:i], '.')
	if j < 0 {
		return host
	}
	if second := host[j+1 : i]; len(host)-i == 3 && (len(second) <= 3 || second == "gov") {
		if k := strings.LastIndexByte(host[:j], '.'); k >= 0 {
			return host[k+1:]
		}
		return host
	}
	return host[j+1:]
}

// sharedHosts give names to anybody: two hosts under one of them are strangers.
var sharedHosts = words(`github.io gitlab.io blogspot.com wordpress.com tumblr.com weebly.com wixsite.com herokuapp.com netlify.app vercel.app pages.dev
	workers.dev web.app firebaseapp.com azurewebsites.net azureedge.net cloudfront.net amazonaws.com googleusercontent.com appspot.com duckdns.org
	no-ip.org no-ip.com ddns.net hopto.org zapto.org dyndns.org trycloudflare.com ngrok.io ngrok-free.app onion.to sharepoint.com googleapis.com
	akamaihd.net fastly.net cloudapp.net 000webhostapp.com wixsite.com myshopify.com`)

// mailHosts give mailboxes to anybody.
var mailHosts = words(`gmail.com googlemail.com yahoo.com hotmail.com outlook.com live.com aol.com icloud.com me.com msn.com protonmail.com proton.me
	mail.com gmx.com gmx.de gmx.net web.de yandex.ru yandex.com mail.ru inbox.ru list.ru bk.ru qq.com 163.com 126.com comcast.net verizon.net att.net
	sbcglobal.net bellsouth.net cox.net charter.net earthlink.net btinternet.com hotmail.co.uk yahoo.co.uk live.co.uk bigpond.com optusnet.com.au
	orange.fr wanadoo.fr free.fr laposte.net libero.it tutanota.com zoho.com rediffmail.com example.com`)
