package prom

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// samples lists the samples of top_refusals of relay denials by a field.
func samples(page, by string) (lines []string) {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, `relaylens_top_refusals{by="`+by+`"`) && strings.Contains(line, `kind="relay_denied",window="5m"`) {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(line, "relaylens_top_refusals")))
		}
	}
	return lines
}

func TestTop(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		users []string
		want  []string
	}{
		"none": {nil, nil},
		"few": {[]string{"b", "a", "b"}, []string{
			`{by="user",key="a",kind="relay_denied",window="5m"} 1`, `{by="user",key="b",kind="relay_denied",window="5m"} 2`,
			`{by="user",key="other",kind="relay_denied",window="5m"} 0`}},
		"more than are shown": {[]string{"a", "a", "a", "b", "b", "c"}, []string{
			`{by="user",key="a",kind="relay_denied",window="5m"} 3`, `{by="user",key="b",kind="relay_denied",window="5m"} 2`,
			`{by="user",key="other",kind="relay_denied",window="5m"} 1`}},
		"a user called other": {[]string{"other", "other", "b"}, []string{
			`{by="user",key="b",kind="relay_denied",window="5m"} 1`, `{by="user",key="other",kind="relay_denied",window="5m"} 2`}},
		"hostile": {[]string{"\x1b[2J\n\"}\\", "\xff"}, []string{
			`{by="user",key="\\x1b[2J\\x0a\"}\\",kind="relay_denied",window="5m"} 1`, `{by="user",key="\\xff",kind="relay_denied",window="5m"} 1`,
			`{by="user",key="other",kind="relay_denied",window="5m"} 0`}},
		"alike once they are escaped": {[]string{"\xff", `\xff`, "\xff"}, []string{
			`{by="user",key="\\xff",kind="relay_denied",window="5m"} 2`, `{by="user",key="other",kind="relay_denied",window="5m"} 1`}},
		"a rune that is cut": {[]string{strings.Repeat("x", 62) + "é"}, []string{
			`{by="user",key="other",kind="relay_denied",window="5m"} 0`,
			`{by="user",key="` + strings.Repeat("x", 62) + `\\xc3",kind="relay_denied",window="5m"} 1`}},
	} {
		t.Run(name, func(t *testing.T) {
			x, w := newExporter(t, 1), aggregate.New(aggregate.Limits{TopK: 2})
			x.Top(w.Snapshot)
			for _, u := range c.users {
				w.Add(&relaylens.Event{Time: at, Kind: relaylens.KindRelayDenied, User: u})
			}
			page := body(t, x)
			if diff := cmp.Diff(c.want, samples(page, "user")); diff != "" {
				t.Error(diff)
			}
			if !utf8.ValidString(page) || strings.Contains(page, "\x1b") {
				t.Error("the page has what only a client may write")
			}
			w.Advance(at.Add(time.Hour)) // what fell out is gone
			if got := samples(body(t, x), "user"); len(got) != 0 {
				t.Errorf("an hour later: %q", got)
			}
		})
	}
}

// TestTopIsBounded scrapes with every list full of what strangers choose.
func TestTopIsBounded(t *testing.T) {
	x, w := fullTop(t)
	x.Top(w.Snapshot)
	page := body(t, x)
	if got := strings.Count(page, "\nrelaylens_top_refusals{"); got != 4*5*4*21 {
		t.Errorf("%d series", got)
	}
	if len(page) > 1e6 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

func fullTop(t testing.TB) (*Exporter, *aggregate.Windows) {
	x, w, r := newExporter(t, 1), aggregate.New(aggregate.Limits{}), rand.New(rand.NewPCG(1, 1))
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var b [16]byte
	for i := range 12_000 {
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		name := fmt.Sprintf("%x\x1b%x", b, b)
		w.Add(&relaylens.Event{Time: at.Add(time.Duration(i) * 4 * time.Millisecond), Kind: relaylens.Kind(1 + i%4), ClientIP: netip.AddrFrom16(b),
			User: name, Sender: "a@" + name, Recipient: "b@y" + name})
	}
	return x, w
}

func BenchmarkScrapeTop(b *testing.B) {
	x, w := fullTop(b)
	x.Top(w.Snapshot)
	b.ReportAllocs()
	for b.Loop() {
		body(b, x)
	}
}
