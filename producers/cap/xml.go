package cap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// maxNodes bounds the elements of one document.
const maxNodes = 1 << 20

const signatureSpace = "http://www.w3.org/2000/09/xmldsig#"

// node is an element: its own text joined, its children in order.
type node struct {
	space, local string
	text         []byte
	kids         []*node
	// dropped counts the bytes of text that were not kept.
	dropped int
}

// value is the text without surrounding space.
func (n *node) value() string { return strings.TrimSpace(string(n.text)) }

// parse reads a document into a tree. It keeps neither embedded files nor
// signatures.
func parse(data []byte) (*node, admission.Reasons) {
	var reasons admission.Reasons
	if len(data) > codec.MaxInput {
		reasons.Add(admission.TooLarge, "", fmt.Sprintf("the document has %d bytes, the limit is %d", len(data), codec.MaxInput), "split it")
		return nil, reasons
	}
	data, wide, err := plain(data)
	if err != nil {
		reasons.Add(admission.InvalidUTF8, "", err.Error(), "send UTF-8")
		return nil, reasons
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) { return charsetReader(charset, in, wide) }
	b := builder{d: d}
	root, err := b.run()
	if err != nil {
		line, col := d.InputPos()
		at := fmt.Sprintf("line %d, column %d", line, col)
		var r *refusal
		switch {
		case errors.As(err, &r):
			reasons.Add(r.code, at, r.message, r.remedy)
		case !utf8.Valid(data) && strings.Contains(err.Error(), "UTF-8"):
			reasons.Add(admission.InvalidUTF8, at, "the text is not valid UTF-8", "send UTF-8, or declare the encoding")
		default:
			reasons.Add(admission.Malformed, at, "not well-formed XML: "+err.Error(), "send well-formed XML")
		}
		return nil, reasons
	}
	return root, nil
}

// refusal is a reason met while parsing.
type refusal struct {
	code            admission.Code
	message, remedy string
}

func (r *refusal) Error() string { return r.message }

// builder makes the tree from tokens.
type builder struct {
	d     *xml.Decoder
	stack []*node
	root  *node
	nodes int
}

func (b *builder) run() (*node, error) {
	for {
		t, err := b.d.Token()
		if errors.Is(err, io.EOF) && len(b.stack) == 0 {
			if b.root == nil {
				return nil, errors.New("the document is empty")
			}
			return b.root, nil
		}
		if err != nil {
			return nil, err
		}
		if err := b.token(t); err != nil {
			return nil, err
		}
	}
}

func (b *builder) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return &refusal{admission.Expansion, "the document has a <!" + firstWord(t) + "> declaration: document types and entities are not accepted",
			"send the document without a DOCTYPE"}
	case xml.StartElement:
		return b.start(t)
	case xml.EndElement:
		b.stack = b.stack[:len(b.stack)-1]
	case xml.CharData:
		b.chars(t)
	}
	return nil
}

func firstWord(b []byte) string {
	f := bytes.Fields(b)
	if len(f) == 0 || len(f[0]) > 16 {
		return ""
	}
	return string(f[0])
}

func (b *builder) start(t xml.StartElement) error {
	if len(b.stack) >= codec.MaxDepth {
		return &refusal{admission.TooDeep, fmt.Sprintf("elements nest deeper than %d", codec.MaxDepth), "send a flatter document"}
	}
	if b.nodes++; b.nodes > maxNodes {
		return &refusal{admission.TooLarge, fmt.Sprintf("the document has more than %d elements", maxNodes), "split it"}
	}
	n := &node{space: t.Name.Space, local: t.Name.Local}
	if len(b.stack) == 0 {
		if b.root != nil {
			return errors.New("more than one root element")
		}
		b.root = n
	} else if p := b.stack[len(b.stack)-1]; !ignored(p) {
		p.kids = append(p.kids, n)
	}
	b.stack = append(b.stack, n)
	return nil
}

func (b *builder) chars(t xml.CharData) {
	if len(b.stack) == 0 {
		return
	}
	n := b.stack[len(b.stack)-1]
	if n.local == "derefUri" || ignored(n) {
		n.dropped += len(t)
		return
	}
	n.text = append(n.text, t...)
}

// ignored elements keep no content; a signature's descendants hang on nothing.
func ignored(n *node) bool { return n.space == signatureSpace }

// plain takes a byte order mark away and turns UTF-16 into UTF-8; wide says
// that the declared encoding no longer holds.
func plain(data []byte) (out []byte, wide bool, err error) {
	if rest, ok := bytes.CutPrefix(data, []byte("\xef\xbb\xbf")); ok {
		return rest, false, nil
	}
	if !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return data, false, nil
	}
	out, err = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
	if err != nil {
		return nil, false, fmt.Errorf("read UTF-16: %w", err)
	}
	return out, true, nil
}

// charsetReader knows the encodings that alerts are seen in.
func charsetReader(charset string, in io.Reader, wide bool) (io.Reader, error) {
	var e encoding.Encoding
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii", "utf8":
		return in, nil
	case "utf-16", "utf-16le", "utf-16be":
		if wide {
			return in, nil
		}
	case "iso-8859-1", "latin1", "iso8859-1":
		e = charmap.ISO8859_1
	case "iso-8859-15":
		e = charmap.ISO8859_15
	case "windows-1252", "cp1252":
		e = charmap.Windows1252
	}
	if e == nil {
		return nil, fmt.Errorf("encoding %q is not known", charset)
	}
	return e.NewDecoder().Reader(in), nil
}
