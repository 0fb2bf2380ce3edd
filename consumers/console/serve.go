package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// mimeTypes is the allow-list of what is served. The table of the machine is
// not asked: it may lack .mjs, and a module of another type is not run.
var mimeTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// file is one file of the page, whole, with its compressed twin if it has one.
type file struct {
	mime  string
	etag  string
	plain []byte
	gzip  []byte
	// hashed: the name changes with the content.
	hashed bool
}

type page struct {
	files map[string]*file
	index *file
}

// serve reads everything once. A folder without index.html serves fallback.
func serve(dist fs.FS, fallback []byte) http.Handler {
	p := &page{files: load(dist)}
	p.index = p.files["index.html"]
	if p.index == nil {
		p.index = newFile("index.html", fallback, nil)
		p.files["index.html"] = p.index
	}
	return p
}

// load keeps the files whose type is on the list; an unreadable one is left
// out, and then not found.
func load(dist fs.FS) map[string]*file {
	files := map[string]*file{}
	_ = fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || mimeTypes[path.Ext(name)] == "" {
			return nil
		}
		plain, err := fs.ReadFile(dist, name)
		if err != nil {
			return nil
		}
		packed, _ := fs.ReadFile(dist, name+".gz")
		files[name] = newFile(name, plain, packed)
		return nil
	})
	return files
}

func newFile(name string, plain, packed []byte) *file {
	sum := sha256.Sum256(plain)
	return &file{
		mime:   mimeTypes[path.Ext(name)],
		etag:   hex.EncodeToString(sum[:12]),
		plain:  plain,
		gzip:   packed,
		hashed: strings.HasPrefix(name, "assets/"),
	}
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page is read-only: use GET", http.StatusMethodNotAllowed)
		return
	}
	f := p.find(r.URL.Path)
	if f == nil {
		http.Error(w, "no such file in this build of the page", http.StatusNotFound)
		return
	}
	f.send(w, r)
}

// find gives the file of a path, or the page for a path that names none. A
// missing file is not answered with the page: a script tag would run it.
func (p *page) find(urlPath string) *file {
	name := strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	if f := p.files[name]; f != nil {
		return f
	}
	if path.Ext(name) != "" || strings.HasPrefix(name, "assets/") || strings.HasPrefix(name, "v1/") {
		return nil
	}
	return p.index
}

func (f *file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mime)
	h.Set("Cache-Control", "no-cache")
	if f.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := f.plain, f.etag
	if f.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body, tag = f.gzip, f.etag+"-gz"
		}
	}
	h.Set("ETag", strconv.Quote(tag))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reads an Accept-Encoding header; q=0 is a no.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		value, given := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		if !given {
			return true
		}
		q, err := strconv.ParseFloat(value, 64)
		return err == nil && q > 0
	}
	return false
}

// permissions are what the page does not need.
const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), " +
	"microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
}
