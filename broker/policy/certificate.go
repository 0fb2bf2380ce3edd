package policy

import (
	"fmt"
	"slices"
	"strings"
)

// maxCertificates bounds the names of one principal's certificate.
const maxCertificates = 16

// certificates reads the names that a client certificate may carry.
func (c *checker) certificates(path string, in []string) []string {
	path += ".certificates"
	if len(in) > maxCertificates {
		c.fail(path, "has %d names; at most %d are read", len(in), maxCertificates)
		return nil
	}
	var out []string
	for i, n := range in {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !certificateName(n) {
			c.fail(at, "%q is no name of a certificate; write one subject alternative name in lower case, a DNS name, an address of mail or a URI, without '*'", n)
			continue
		}
		if slices.Contains(out, n) {
			c.fail(at, "%q is named twice", n)
			continue
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func certificateName(n string) bool {
	if n == "" || len(n) > 253 || strings.ToLower(n) != n {
		return false
	}
	return !strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r > '~' || r == '*' })
}

// apart refuses a name that two principals share: the certificate of one would
// be good for the other.
func (c *checker) apart(agencies []Agency, readers []Reader) {
	holder := map[string]string{}
	claim := func(who string, names []string) {
		for _, n := range names {
			if other, taken := holder[n]; taken {
				c.fail("", "certificate name %q is that of %s and of %s; a certificate belongs to one", n, other, who)
			}
			holder[n] = who
		}
	}
	for _, a := range agencies {
		claim("agency "+a.Name, a.Certificates)
	}
	for _, r := range readers {
		claim("reader "+r.Name, r.Certificates)
	}
}
