package summary

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/relaylens/relaylens"
)

// pageElements are all that a page may consist of. Nothing of them runs, loads
// or sends anything.
var pageElements = []string{"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "span", "table", "tr", "td", "th"}

var pageAttributes = []string{"lang", "charset", "name", "content", "class", "role", "aria-label", "title", "style", "scope"}

// checkPage reads page as a browser does and returns its text.
func checkPage(t *testing.T, page []byte) string {
	t.Helper()
	var text strings.Builder
	var open []string
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Fatal(z.Err())
			}
			if len(open) > 0 {
				t.Errorf("not closed: %v", open)
			}
			return text.String()
		case html.StartTagToken:
			tok := z.Token()
			if !slices.Contains(pageElements, tok.Data) {
				t.Errorf("element %q", tok.String())
			}
			for _, a := range tok.Attr {
				if !slices.Contains(pageAttributes, a.Key) || a.Key == "style" && !strings.HasPrefix(a.Val, "height:") {
					t.Errorf("attribute %q of %q", a.Key, tok.String())
				}
			}
			if tok.Data != "meta" {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("%v closed by %s", open, tok)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			text.WriteString(z.Token().Data)
		case html.CommentToken, html.SelfClosingTagToken:
			t.Errorf("%s", z.Token())
		}
	}
}

func TestPage(t *testing.T) {
	for _, first := range []bool{false, true} {
		page, err := aReport(t, 5, PageSteps).AppendHTML(nil, TextOptions{ProblemsFirst: first})
		if err != nil {
			t.Fatal(err)
		}
		text := checkPage(t, page)
		for _, want := range []string{"recipient_domain_not_configured", "203.0.113.1", "例え.テスト", "<script>alert(1)</script>\\u202e.example", "450"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not show %q", want)
			}
		}
		if strings.ContainsAny(text, "\x1b\x00\u202e") {
			t.Error("hostile text is not escaped")
		}
		if strings.Contains(string(page), "://") {
			t.Error("the page refers to another place")
		}
	}
}

// hostile are texts that have broken pages, terminals and spreadsheets before.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><script>`, `</td></table>`, `<!--`, `]]>`, `&lt;`, `javascript:alert(1)`,
	`'--`, "\x1b]0;title\x07", "\x1b[2J", "\u202egro.elpmaxe", "\u2066", "a\U000e0062", "\x00", "\xff\xfe", "\r\n\r\n", "\u2028", `{{.}}`, `=cmd|' /C calc'!A0`, `@SUM(1)`, `a;=1+1`, `＝1`,
	"+1", "-1", "\t=1", strings.Repeat("a", 100_000), strings.Repeat("界", 1000), strings.Repeat("\u0301", 500),
}

func hostileEvents() []relaylens.Event {
	var events []relaylens.Event
	for i, text := range hostile {
		e := refusal(i, relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, "203.0.113.9")
		e.Host, e.User, e.ClientName, e.Helo = text, text, text, text
		e.Sender, e.Recipient = "a@"+text, text+"@"+text
		events = append(events, e)
		e.Kind, e.Direction, e.RemoteHost, e.Text, e.Enhanced = relaylens.KindRejected, relaylens.Outbound, text, text, text
		events = append(events, e)
	}
	return events
}

func TestHostileText(t *testing.T) {
	span := Span{noon, noon.Add(time.Hour)}
	r := built(hostileEvents(), span, span.Before()).Report(ReportOptions{Top: -1, Steps: 30, Location: time.UTC})
	page, err := r.AppendHTML(nil, TextOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkSafe(t, checkPage(t, page))
	text := r.AppendText(nil, TextOptions{Width: 80})
	checkSafe(t, string(text))
	for line := range strings.Lines(string(text)) {
		if n := columns(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	json, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSafe(t, string(json))
}

// checkSafe finds what a terminal or a reader could be misled by.
func checkSafe(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2066 || r == 0x2028 || r == '\ufeff' || r >= 0xe0000 {
			t.Errorf("%U is not escaped", r)
			return
		}
	}
}

func TestHostileGroups(t *testing.T) {
	g, err := NewGroups([]string{"user", "sender_domain"}, Span{}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	events := hostileEvents()
	for i := range events {
		g.Add(&events[i])
	}
	table := g.Table(-1)
	if len(table.Groups) != len(hostile) {
		t.Errorf("%d groups of %d", len(table.Groups), len(hostile))
	}
	page, err := table.AppendHTML(nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSafe(t, checkPage(t, page))
	checkSafe(t, string(table.AppendText(nil, TextOptions{Width: 80})))
	checkSafe(t, string(table.AppendCSV(nil)))
}
