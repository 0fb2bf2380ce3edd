package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const script = "export const answer = 42;\n"

func pack(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func builtPage(t *testing.T) http.Handler {
	t.Helper()
	return serve(fstest.MapFS{
		".gitkeep":                 {},
		"index.html":               {Data: []byte("<!doctype html><title>page</title>")},
		"licenses.txt":             {Data: []byte("licences")},
		"assets/main.ABC.js":       {Data: []byte(script)},
		"assets/main.ABC.js.gz":    {Data: pack(t, script)},
		"assets/worker.DEF.mjs":    {Data: []byte(script)},
		"assets/counties.GHI.json": {Data: []byte("{}")},
		"assets/secret.map":        {Data: []byte("not served")},
	}, []byte("placeholder"))
}

func ask(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatIsServed(t *testing.T) {
	type answer struct {
		Code  int
		Mime  string
		Cache string
	}
	const forever = "public, max-age=31536000, immutable"
	const html, js = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
	tests := []struct {
		name, path string
		want       answer
	}{
		{"the page", "/", answer{200, html, "no-cache"}},
		{"the page by name", "/index.html", answer{200, html, "no-cache"}},
		{"a path that names no file is the page", "/situation/abc", answer{200, html, "no-cache"}},
		{"a path that climbs is cleaned", "/../../situation", answer{200, html, "no-cache"}},
		{"a script", "/assets/main.ABC.js", answer{200, js, forever}},
		{"a module worker is JavaScript on any machine", "/assets/worker.DEF.mjs", answer{200, js, forever}},
		{"the basemap", "/assets/counties.GHI.json", answer{200, "application/json", forever}},
		{"the licences", "/licenses.txt", answer{200, "text/plain; charset=utf-8", "no-cache"}},
		{"a script of another build is not the page", "/assets/main.OLD.js", answer{Code: 404}},
		{"nothing under assets is the page", "/assets/main", answer{Code: 404}},
		{"a missing picture is not the page", "/favicon.ico", answer{Code: 404}},
		{"a type that is not on the list", "/assets/secret.map", answer{Code: 404}},
		{"the compressed twin has no path of its own", "/assets/main.ABC.js.gz", answer{Code: 404}},
		{"a dot file", "/.gitkeep", answer{Code: 404}},
		{"an API path is never the page", "/v1/nothing", answer{Code: 404}},
	}
	h := builtPage(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ask(h, "GET", tt.path)
			got := answer{Code: r.StatusCode}
			if r.StatusCode == 200 {
				got.Mime, got.Cache = r.Header.Get("Content-Type"), r.Header.Get("Cache-Control")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("GET %s (-want +got):\n%s", tt.path, diff)
			}
		})
	}
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	h := builtPage(t)
	for _, path := range []string{"/", "/assets/main.ABC.js", "/assets/none.js", "/deep/path"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			r := ask(h, method, path)
			if got := r.Header.Get("Content-Security-Policy"); got != Policy {
				t.Errorf("%s %s: policy %q", method, path, got)
			}
			if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s %s: X-Content-Type-Options %q", method, path, got)
			}
		}
	}
	for _, want := range []string{"default-src 'none'", "require-trusted-types-for 'script'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(Policy, want) {
			t.Errorf("policy does not say %q", want)
		}
	}
	for _, word := range []string{"unsafe-inline", "unsafe-eval", "http:", "https:", "*"} {
		if strings.Contains(Policy, word) {
			t.Errorf("policy allows %q", word)
		}
	}
}

func TestThePageIsReadOnly(t *testing.T) {
	r := ask(builtPage(t), "POST", "/")
	if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST / = %d, Allow %q", r.StatusCode, r.Header.Get("Allow"))
	}
}

func TestCompressedOnlyWhereAsked(t *testing.T) {
	h := builtPage(t)
	for accept, want := range map[string]string{
		"":                     "",
		"br":                   "",
		"gzip":                 "gzip",
		"GZIP":                 "gzip",
		"br, gzip;q=0.5":       "gzip",
		"deflate, gzip; q=0":   "",
		"gzip;q=0.000":         "",
		"gzip;q=nonsense":      "",
		"xgzip, gzip2, x-gzip": "",
	} {
		r := ask(h, "GET", "/assets/main.ABC.js", "Accept-Encoding", accept)
		if got := r.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", accept, got, want)
			continue
		}
		if got := r.Header.Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary %q", accept, got)
		}
		text := body(t, r)
		if want == "gzip" {
			z, err := gzip.NewReader(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if text != script {
			t.Errorf("Accept-Encoding %q: body %q", accept, text)
		}
	}
}

func TestAnUnchangedPageIsNotSentAgain(t *testing.T) {
	h := builtPage(t)
	tag := ask(h, "GET", "/").Header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	r := ask(h, "GET", "/", "If-None-Match", tag)
	if r.StatusCode != http.StatusNotModified {
		t.Errorf("with If-None-Match: %d", r.StatusCode)
	}
	plain := ask(h, "GET", "/assets/main.ABC.js").Header.Get("ETag")
	packed := ask(h, "GET", "/assets/main.ABC.js", "Accept-Encoding", "gzip").Header.Get("ETag")
	if plain == packed {
		t.Errorf("two encodings share the tag %s", plain)
	}
}

func TestWithoutABuildThePageSaysHow(t *testing.T) {
	r := ask(serve(fstest.MapFS{".gitkeep": {}}, placeholder), "GET", "/")
	text := body(t, r)
	if r.StatusCode != 200 || !strings.Contains(text, "make console") {
		t.Errorf("got %d %q, want the way to build it", r.StatusCode, text)
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "style=") || strings.Contains(text, "<style") {
		t.Error("the placeholder breaks its own policy")
	}
}

// What the binary holds is one or the other, never neither.
func TestTheEmbeddedPage(t *testing.T) {
	text := body(t, ask(Handler(), "GET", "/"))
	if Built() == strings.Contains(text, "not built") {
		t.Errorf("Built() = %v and the page says %q", Built(), text)
	}
}
