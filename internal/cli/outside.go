package cli

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// outside are the flags of the listeners for other machines.
type outside struct {
	broker, pages, name string
	files               transport.Files
}

func (o *outside) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.broker, "listen", "", "address where other machines reach the broker over TLS, like 0.0.0.0:4443 (default: nowhere)")
	c.Flags().StringVar(&o.pages, "http-listen", "", "address of the first cell's page and API over TLS, the others follow, like 0.0.0.0:8443 (default: nowhere)")
	c.Flags().StringVar(&o.name, "advertise", "", "name that other machines connect to, as it stands in what is issued (default: the first in the certificate)")
	c.Flags().StringVar(&o.files.Cert, "tls-cert", "", "certificate of both, PEM, with the names that others connect to")
	c.Flags().StringVar(&o.files.Key, "tls-key", "", "its key, readable by its owner alone")
	c.Flags().StringVar(&o.files.CA, "tls-client-ca", "", "authority that the agencies' certificates come from, PEM")
}

const outsideNeeds = "make all of them for a trial with \"watchfloor certs make\", or bring your own"

// keeper checks the flags and reads the certificates; nil without any.
func (o *outside) keeper() (*transport.Keeper, error) {
	f := &o.files
	switch {
	case o.broker == "" && o.pages == "" && *f == (transport.Files{}):
		return nil, nil
	case o.broker == "" && o.pages == "":
		return nil, usage("--tls-cert, --tls-key and --tls-client-ca go with --listen or --http-listen: on loopback nothing is encrypted")
	case f.Cert == "" || f.Key == "":
		return nil, usage("--listen and --http-listen need TLS: give --tls-cert and --tls-key; %s", outsideNeeds)
	case o.broker != "" && f.CA == "":
		return nil, usage("--listen needs --tls-client-ca: agencies on other machines sign in with certificates of that authority; %s", outsideNeeds)
	}
	for _, path := range []*string{&f.Cert, &f.Key, &f.CA} {
		if *path == "" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	k, err := transport.Keep(*f, time.Now)
	if err != nil {
		return nil, usage("%w", err)
	}
	if o.name == "" && k.Host() == "" {
		return nil, usage("--tls-cert has no name but wildcards: say with --advertise which one others connect to")
	}
	return k, nil
}

// free checks before anything is started that the addresses can be listened on.
func (o *outside) free(cells int) error {
	if o.broker != "" {
		if err := freeAddress("--listen", o.broker, 0); err != nil {
			return err
		}
	}
	for i := 0; o.pages != "" && i < cells; i++ {
		if err := freeAddress("--http-listen", o.pages, i); err != nil {
			return err
		}
	}
	return nil
}

func freeAddress(flag, address string, i int) error {
	host, text, err := net.SplitHostPort(address)
	port, perr := strconv.Atoi(text)
	if err := errors.Join(err, perr); err != nil || port < 0 || port+i > 65535 {
		return usage("%s %q: use HOST:PORT, like 0.0.0.0:4443, port 0 for any free one", flag, address)
	}
	if port == 0 {
		i = 0
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port+i)))
	if err != nil {
		return unreachable("%s: %w: choose another address or port", flag, err)
	}
	return l.Close()
}

// told says where other machines connect.
func (a *app) told(s *spine.Spine, k *transport.Keeper) {
	if k == nil {
		return
	}
	if url := s.Broker().OutsideURL(); url != "" {
		fmt.Fprintf(a.out, "Other machines: broker %s, agencies with a certificate of %s\n", url, k.Files().CA)
	}
	for _, c := range s.Cells() {
		if c.OutsideURL != "" {
			fmt.Fprintf(a.out, "  %-8s %s/\n", c.Name, c.OutsideURL)
		}
	}
	for _, e := range k.Expiries() {
		if left := time.Until(e.NotAfter); left < expiresSoon {
			fmt.Fprintf(a.out, "Certificate %s of %s ends in %s: renew it\n", e.File, e.Subject, left.Round(time.Minute))
		}
	}
}

// outsidePages is where other machines reach each cell's page.
func outsidePages(s *spine.Spine) map[string]string {
	out := map[string]string{}
	for _, c := range s.Cells() {
		if c.OutsideURL != "" {
			out[c.Name] = c.OutsideURL
		}
	}
	return out
}
