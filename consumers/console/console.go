// Package console is the analyst's page: it embeds the built web sources of
// this folder and serves them.
//
// It is not an API and holds no data: the page asks /v1 of the listener it
// came from, with the reader's token, and shows only what that token reads.
// The build is not committed; without it the page says how to make it.
package console

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed all:dist
var built embed.FS

//go:embed placeholder/index.html
var placeholder []byte

// Policy is the Content-Security-Policy of every page and file served here:
// nothing inline, nothing evaluated, nothing from another origin, and no text
// that becomes script or markup but by the rule of src/trust.ts.
const Policy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default"

// Built reports whether the page was built into this binary.
func Built() bool {
	_, err := fs.Stat(built, "dist/index.html")
	return err == nil
}

// Handler serves the page: its files under their own paths, and the page
// itself for every other path without an extension. It answers GET and HEAD
// alone and sets the security headers itself.
func Handler() http.Handler {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // a constant, valid path
	}
	return serve(dist, placeholder)
}
