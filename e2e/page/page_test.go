//go:build e2e

package page

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/testutil"
	"github.com/relaylens/relaylens/store"
)

// hostile are texts that have broken pages before.
var hostile = []string{
	`<script>pwned=1</script>`, `"><img src=x onerror=pwned=1>`, `'><svg onload=pwned=1>`, `</style><script>pwned=1</script>`, `</title><script>pwned=1</script>`,
	`<iframe srcdoc="<script>parent.pwned=1</script>">`, `javascript:pwned=1`, `" autofocus onfocus="pwned=1`, `<a href="javascript:pwned=1">`, `<base href=//evil.example/>`,
	`<meta http-equiv=refresh content=0;url=//evil.example>`, `</table></section></main>`, `<!--`, `-->`, `]]>`, `{{.}}`, `${pwned=1}`, `&lt;script&gt;`, `&#60;`, `%3Cscript%3E`,
	"\u202egro.elpmaxe@nimda", "\u2066\u2067\u2068", "\u200b\u200d\ufeff", "\x1b]0;title\x07\x1b[2J\x1b[31m", "\x00\x01\x7f", "\xff\xfe\xc0", "\r\n\r\n", "\u2028",
	strings.Repeat("a", 4096), strings.Repeat("W", 4096), strings.Repeat("界", 1300), strings.Repeat("a\u0301", 1000), strings.Repeat("שלום", 500), strings.Repeat("🧨", 1000),
	strings.Repeat("<", 4000), strings.Repeat("\"'", 2000),
}

// findingCauses make one finding for each sender domain, recipient domain, user
// or client.
var findingCauses = []relaylens.Cause{
	relaylens.CauseRecipientDomainNotConfigured, relaylens.CauseClientNotAuthenticated, relaylens.CauseStalePassword, relaylens.CauseClientNotInMynetworks,
	relaylens.CauseCredentialGuessing, relaylens.CauseCalloutUnknownUser, relaylens.CauseSenderDomainUnresolvable, relaylens.CauseAddressChanged,
	relaylens.CauseRemoteRelayDenied, relaylens.CauseRestrictionOrder,
}

// hostileStore has 10,000 findings' worth of hostile text, until now.
func hostileStore(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const findings = 10_000
	began := time.Now().Add(-50 * time.Minute)
	for first := 0; first < findings; first += 1000 {
		b := &store.Batch{}
		for i := first; i < first+1000; i++ {
			b.Events = append(b.Events, hostileEvent(i, began.Add(time.Duration(i)*300*time.Millisecond)))
		}
		if _, err := s.Commit(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func hostileEvent(i int, at time.Time) relaylens.Event {
	text := hostile[i%len(hostile)]
	unlike := fmt.Sprintf("%d%s", i/len(hostile), text)
	line := relaylens.Line{Text: "hostile", Offset: int64(i)}
	e := relaylens.Event{
		ID: relaylens.NewID(&line, 0), Time: at, TimeDigits: 6, Host: text, MTA: relaylens.Postfix, Service: text, QueueID: text,
		Kind: relaylens.RefusalKinds()[i%4], Direction: relaylens.Inbound, Stage: relaylens.StageRcpt, Cause: findingCauses[i%len(findingCauses)],
		ClientIP: netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), ClientName: text, Helo: text, Proto: "ESMTP", User: unlike, AuthMethod: text,
		Sender: "a@" + unlike, Recipient: unlike + "@" + unlike, Code: 554, Enhanced: "5.7.1", Text: text, Source: "/" + text, Line: int64(i),
	}
	if e.Cause == relaylens.CauseRemoteRelayDenied {
		e.Direction, e.RemoteHost = relaylens.Outbound, unlike
	}
	if i%7 == 0 {
		e.Time = at.Add(-time.Hour / 4) // some of the hour before
	}
	return e
}

// serve starts the daemon over a store.
func serve(t *testing.T, dir string) (url string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "mail.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return testutil.Serve(t, "--data-dir", dir, log).URL + "/"
}

// summaryPage is what summary -o html writes of a store.
func summaryPage(t *testing.T, dir string) (url string) {
	t.Helper()
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "summary", "--data-dir", dir, "-o", "html", "--top", "30").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "summary.html")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + file
}

// TestHostilePages shows pages full of hostile text: nothing runs, and nothing
// is wider than the window.
func TestHostilePages(t *testing.T) {
	browser := startChromium(t)
	dir := hostileStore(t)
	status := serve(t, dir)
	pages := map[string]string{
		"status":   status + "?live=off",
		"hour":     status + "?span=1h&live=off",
		"selected": status + "?live=off&match=kind%3Drelay_denied&match=user%3D%3Cscript%3Epwned%3D1%3C%2Fscript%3E&match=%2B&match=helo%3D" + strings.Repeat("W", 400) + "&match=%2B&match=cause%3Dstale_password",
		"summary":  summaryPage(t, dir),
	}
	for name, url := range pages {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int{360, 1280} {
				name := fmt.Sprintf("%s/%s/%d", name, scheme, width)
				t.Run(name, func(t *testing.T) { look(t, browser, name, url, width, scheme) })
			}
		}
	}
}

// look checks one page in one shape.
func look(t *testing.T, browser *chromium, name, url string, width int, scheme string) {
	browser.t = t
	p := browser.open(width, 800, scheme)
	defer p.close()
	p.visit(url)
	p.picture(name)
	p.eval(`document.querySelectorAll("details").forEach(d => d.open = true); 0`, new(any))
	p.picture(name + "/open")

	var found struct {
		Pwned                bool
		Strange, Title, Back string
		Scroll, Client, Rows int
		Wide                 []string
		Bidi                 bool
	}
	p.eval(`({
		pwned: typeof pwned !== "undefined",
		strange: [...document.querySelectorAll("script,img,iframe,object,embed,base,link,video,audio,[onerror],[onload],[onfocus],[autofocus]")].map(e => e.outerHTML.slice(0, 80)).join(" "),
		title: document.title,
		back: getComputedStyle(document.body).backgroundColor,
		scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth,
		rows: document.querySelectorAll("tr").length,
		wide: [...document.querySelectorAll("body *")].filter(e => !e.closest("svg,.wide,.skip,.bars") && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)).slice(0, 3),
		bidi: /[\u202a-\u202e\u2066-\u2069\u001b\u0007]/.test(document.body.textContent),
	})`, &found)
	if found.Pwned || found.Strange != "" {
		t.Errorf("hostile text became part of the page: it ran %t, elements %s", found.Pwned, found.Strange)
	}
	if found.Scroll > found.Client || len(found.Wide) > 0 {
		t.Errorf("the page is %d wide in a window of %d: %q", found.Scroll, found.Client, found.Wide)
	}
	if found.Bidi {
		t.Error("text that turns direction, or speaks to terminals, is not escaped")
	}
	if found.Rows < 10 || found.Title == "" {
		t.Errorf("the page titled %q has %d rows", found.Title, found.Rows)
	}
	if dark := found.Back != "rgb(255, 255, 255)"; dark != (scheme == "dark") {
		t.Errorf("the background is %s", found.Back)
	}
	p.quiet()
}

// TestKeyboard goes through the page without a mouse.
func TestKeyboard(t *testing.T) {
	browser := startChromium(t)
	p := browser.open(800, 800, "light")
	p.visit(serve(t, hostileStore(t)) + "?live=off")
	const focused = `(document.activeElement.className || document.activeElement.tagName)`
	var at string
	p.press("Tab", 9, "")
	if p.eval(focused, &at); at != "skip" {
		t.Fatalf("the first stop is %s, not the link to the content", at)
	}
	var shown bool
	if p.eval(`document.activeElement.getBoundingClientRect().left >= 0`, &shown); !shown {
		t.Error("the link to the content is not shown when it has the focus")
	}
	p.press("Enter", 13, "\r")
	if p.eval(`location.hash`, &at); at != "#main" {
		t.Errorf("the link leads to %q", at)
	}
	for range 10 {
		p.press("Tab", 9, "")
		if p.eval(`document.activeElement.tagName`, &at); at == "SUMMARY" {
			break
		}
	}
	p.press("Enter", 13, "\r")
	var open, outlined bool
	p.eval(`document.activeElement.parentElement.open === true`, &open)
	p.eval(`getComputedStyle(document.activeElement).outlineStyle !== "none"`, &outlined)
	if !open || !outlined {
		t.Errorf("at %s: opened %t, outlined %t", at, open, outlined)
	}
	p.quiet()
}
