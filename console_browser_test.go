package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browsers are tried in this order after $CHROME_BIN.
var browsers = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}

// browserPath finds a browser. A missing one fails: the page is not tested
// without it.
func browserPath(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CHROME_BIN"); named != "" {
		found, err := exec.LookPath(named)
		if err != nil {
			t.Fatalf("CHROME_BIN: %v: name a browser that is there, or unset it", err)
		}
		return found
	}
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Fatalf("no browser found (%s): install chromium-headless-shell (Debian), chromium or google-chrome, or set CHROME_BIN",
		strings.Join(browsers, ", "))
	return ""
}

// tab is one page of a real browser. Everything the browser complains of is
// kept: scripts that throw, requests that fail, policies that are broken.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func openTab(t *testing.T) *tab {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browserPath(t)),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("use-angle", "swiftshader"),
		chromedp.Flag("enable-unsafe-swiftshader", true),
	)
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox)
	}
	ctx, endBrowser := chromedp.NewExecAllocator(t.Context(), flags...)
	t.Cleanup(endBrowser)
	ctx, endTab := chromedp.NewContext(ctx)
	t.Cleanup(endTab)
	b := &tab{t: t, ctx: ctx}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError || m.Source == "security" {
				b.mu.Lock()
				b.complaints = append(b.complaints, fmt.Sprintf("%s (%s)", m, m.URL))
				b.mu.Unlock()
			}
		}
	}()
	return b
}

// calm fails when the browser complained of anything so far.
func (b *tab) calm() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the browser complains: %s", c)
	}
}

func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shot("failed")
		b.t.Fatalf("%s: %v", what, err)
	}
}

// text evaluates an expression to a string.
func (b *tab) text(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		b.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return got
}

// wait waits until an expression holds.
func (b *tab) wait(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 40*time.Second)
	defer cancel()
	poll := chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		b.shot("failed")
		b.t.Fatalf("wait until %s: %v\nthe page says:\n%s", what, err, b.text("document.body.innerText"))
	}
}

// shot keeps a picture of the page in $WATCHFLOOR_SCREENSHOTS, where it is set.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("WATCHFLOOR_SCREENSHOTS")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("take screenshot %s: %v", name, err)
		return
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.t.Errorf("make folder of screenshots: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o600); err != nil {
		b.t.Errorf("write screenshot: %v", err)
	}
}

// accessible runs axe-core over the page: WCAG 2.0 to 2.2 A and AA, Section 508.
func (b *tab) accessible(where string) {
	b.t.Helper()
	source, err := os.ReadFile("consumers/console/node_modules/axe-core/axe.min.js")
	if err != nil {
		b.t.Fatalf("read axe-core: %v: run `make console` first", err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, 60*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](string(source)+"\n;0")); err != nil {
		b.t.Fatalf("load axe-core: %v", err)
	}
	type violation struct {
		ID      string   `json:"id"`
		Impact  string   `json:"impact"`
		Targets []string `json:"targets"`
	}
	type result struct {
		Passes     int         `json:"passes"`
		Violations []violation `json:"violations"`
	}
	const run = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "section508"]}).then((r) => ({
		passes: r.passes.length,
		violations: r.violations.map((v) => ({id: v.id, impact: v.impact, targets: v.nodes.map((n) => n.target.join(" "))})),
	}))`
	got, err := chromedp.Run(ctx, chromedp.Evaluate[result](run, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("run axe-core: %v", err)
	}
	if got.Passes == 0 {
		b.t.Errorf("%s: axe-core checked nothing", where)
	}
	for _, v := range got.Violations {
		b.t.Errorf("%s: %s violation of %s at %s", where, v.Impact, v.ID, strings.Join(v.Targets, ", "))
	}
}
