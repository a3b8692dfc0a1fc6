package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

// hostile are texts that have broken pages before.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><script>`, `</title>`, `javascript:alert(1)`, `'--`, "\x1b[2J", "\u202egro.elpmaxe",
	"\x00", "\xff\xfe", "\r\n", "\u2028", `{{.}}`, strings.Repeat("a", 5000), strings.Repeat("界", 1000)}

// pageElements and pageAttributes are all that the page may consist of. None of
// it runs or loads anything.
var pageElements = strings.Fields(`html head meta title style body a header h1 p nav b form input label button main section h2 dl div dt dd span
	svg g rect ul li i details summary table thead tbody tr th td ol pre bdi footer`)

var pageAttributes = strings.Fields(`lang charset name content http-equiv class href id aria-label aria-labelledby aria-hidden aria-current role action method
	type value for placeholder autocomplete spellcheck maxlength tabindex scope viewbox preserveaspectratio width height x y`)

// checkPage reads a page as a browser does and returns its text.
func checkPage(t *testing.T, page []byte) string {
	t.Helper()
	var text strings.Builder
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			return text.String()
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			if !slices.Contains(pageElements, tok.Data) {
				t.Errorf("element %q", tok.String())
			}
			for _, a := range tok.Attr {
				if !slices.Contains(pageAttributes, strings.ToLower(a.Key)) {
					t.Errorf("attribute %q of %q", a.Key, tok.String())
				}
				if a.Key == "href" && !strings.HasPrefix(a.Val, "./?") && !slices.Contains([]string{"#main", "metrics", "-/healthy", "-/ready"}, a.Val) && !strings.HasPrefix(a.Val, "api/v1/") {
					t.Errorf("link to %q", a.Val)
				}
			}
		case html.TextToken:
			text.WriteString(z.Token().Data)
		case html.CommentToken:
			t.Errorf("%s", z.Token())
		}
	}
}

func hostileRefusals() []relaylens.Event {
	events := refusals(4 * len(hostile))
	for i := range events {
		e, text := &events[i], hostile[i%len(hostile)]
		e.Host, e.Service, e.User, e.ClientName, e.Helo, e.Text, e.Sender, e.Recipient = text, text, text, text, text, text, "a@"+text, text+"@"+text
		e.Cause = []relaylens.Cause{relaylens.CauseRestrictionOrder, relaylens.CauseStalePassword, relaylens.CauseRecipientDomainNotConfigured, relaylens.CauseRemoteRelayDenied}[i%4]
		if i%4 == 3 {
			e.Direction, e.RemoteHost = relaylens.Outbound, text
		}
	}
	return events
}

func TestStatusPage(t *testing.T) {
	r := newRig(t, hostileRefusals()...)
	for _, path := range []string{"/", "/?span=1h", "/?span=7d&live=off", "/?match=cause%3Drestriction_order&match=user%3D%3Cscript%3Ealert(1)%3C/script%3E",
		"/?match=helo%3D%22%3E%3Cscript%3E", "/?match=", "/?match=%2B&match=kind%3Drelay_denied&match=+&match=%2B"} {
		res, body := r.get(path)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %s %s", path, res.Status, body)
		}
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script") {
			t.Errorf("policy %q", policy)
		}
		text := checkPage(t, []byte(body))
		if i := strings.IndexAny(text, "\x1b\x00\u202e\u2028\x07"); i >= 0 {
			t.Errorf("%s: not escaped: %q", path, text[i:min(i+20, len(text))])
		}
		if !strings.Contains(text, "restriction order") && !strings.Contains(path, "helo") {
			t.Errorf("%s does not tell the cause", path)
		}
		if live := strings.Contains(body, `http-equiv="refresh"`); live == strings.Contains(path, "live=off") {
			t.Errorf("%s: loads itself anew: %t", path, live)
		}
	}
}

// Many readers of a page cost what one does.
func TestPageIsKept(t *testing.T) {
	r := newRig(t, refusals(3)...)
	if res, _ := r.get("/"); res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	expire := func(in time.Duration) {
		r.page.mu.Lock()
		defer r.page.mu.Unlock()
		for _, e := range r.page.entries {
			e.until = time.Now().Add(in)
		}
	}
	expire(time.Hour)
	r.store.Close()
	if res, body := r.get("/?live=off"); res.StatusCode != http.StatusOK {
		t.Errorf("the page was made anew: %s", body)
	}
	if res, _ := r.get("/?span=1h"); res.StatusCode != http.StatusInternalServerError {
		t.Errorf("another page was not made: %s", res.Status)
	}
	expire(-1)
	if res, _ := r.get("/"); res.StatusCode != http.StatusInternalServerError {
		t.Errorf("the page is kept for ever: %s", res.Status)
	}
}

// A finding says how many refusals it has, and all its times are of one zone.
func TestFindingOfThePage(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	at := time.Date(2026, 11, 20, 14, 30, 5, 0, time.FixedZone("", 4*3600))
	d := &summary.Diagnosis{Finding: relaylens.Finding{Events: 1, First: at, Last: at, Evidence: []relaylens.Event{{Kind: relaylens.KindRelayDenied, Time: at}}}}
	more := *d
	more.Events, more.Partial, more.Last = 2000, true, at.Add(time.Hour)
	var v view
	v.findings([]*summary.Diagnosis{d, &more}, 2, now)
	for i, want := range [][2]string{{"1 refusal", "10:30"}, {"2,000 refusals or more", "10:30 to 11:30"}} {
		f := v.Findings[i]
		if got := [2]string{f.Events, f.When}; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if !strings.HasPrefix(f.Evidence[0], "Nov 20 10:30:05 ") {
			t.Errorf("evidence %q", f.Evidence[0])
		}
	}
}

// Nobody waits for a page whose maker is gone.
func TestPageThatIsNotMade(t *testing.T) {
	var p pageCache
	func() {
		defer func() { _ = recover() }()
		_, _ = p.get(t.Context(), "key", func() (*pageFacts, error) { panic("a mistake") })
	}()
	want := &pageFacts{}
	if got, err := p.get(t.Context(), "key", func() (*pageFacts, error) { return want, nil }); got != want || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestPageIsWithinMaxSpan(t *testing.T) {
	r := newRig(t)
	r.o.Limits = func() Limits { return Limits{Span: 24 * time.Hour, Events: 500} }
	for path, want := range map[string]int{"/?span=24h": http.StatusOK, "/?span=7d": http.StatusBadRequest} {
		if res, body := r.get(path); res.StatusCode != want {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
}
