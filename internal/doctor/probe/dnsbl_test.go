package probe

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens/classifier/knowledge"
	"github.com/relaylens/relaylens/internal/testutil"
)

// zone answers DNS queries by name: A records, or TXT where the text is no
// address; "drop" lets a query go unanswered, "fail" answers SERVFAIL.
type zone map[string][]string

// serve answers on a port of its own until the test ends.
func (z zone) serve(t *testing.T) string {
	t.Helper()
	return testutil.ServeDNS(t, "127.0.0.1:0", z.resolve)
}

func (z zone) resolve(name string, qtype uint16) (code int, data [][]byte) {
	records, known := z[name+"."]
	switch {
	case !known:
		return testutil.NXDomain, nil
	case records[0] == "drop":
		return testutil.NoAnswer, nil
	case records[0] == "fail":
		return testutil.ServFail, nil
	}
	for _, r := range records {
		switch a, err := netip.ParseAddr(r); {
		case err == nil && qtype == testutil.TypeA:
			data = append(data, a.AsSlice())
		case err != nil && qtype == testutil.TypeTXT:
			data = append(data, append([]byte{byte(len(r))}, r...))
		}
	}
	return testutil.NoError, data
}

func TestAsk(t *testing.T) {
	resolver := zone{
		"5.113.0.203.listed.example.": {"127.0.0.2", "127.0.0.4", "spam \x1b[2J seen"},
		"5.113.0.203.wild.example.":   {"127.0.0.2"},
		"1.0.0.127.wild.example.":     {"127.0.0.2"},
		"5.113.0.203.public.example.": {"127.255.255.254"},
		"5.113.0.203.sold.example.":   {"198.51.100.1"},
		"5.113.0.203.slow.example.":   {"drop"},
		"5.113.0.203.broken.example.": {"fail"},
		"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.listed.example.": {"127.0.0.3"},
	}.serve(t)
	l := Lists{Resolver: resolver, Timeout: 30 * time.Second}
	list := func(name string) knowledge.Blocklist {
		return knowledge.Blocklist{Zone: name, Removal: "ask nicely", Answers: map[string]string{"127.0.0.2": "a spam source"}, Errors: map[string]string{"127.255.255.254": "not for public resolvers"}}
	}
	found := l.Ask(t.Context(), netip.MustParseAddr("203.0.113.5"), []knowledge.Blocklist{
		list("listed.example"), list("clean.example"), list("wild.example"), list("public.example"), list("sold.example"), list("broken.example"), list("relays.ordb.org")})
	want := []Listing{
		{Zone: "listed.example", Listed: true, Answers: []string{"127.0.0.2", "127.0.0.4"}, Text: "a spam source; spam \x1b[2J seen", Removal: "ask nicely"},
		{Zone: "clean.example"},
		{Zone: "wild.example", Answers: []string{"127.0.0.2"}, Removal: "ask nicely", Problem: "it lists every address, 127.0.0.1 too: it is dead"},
		{Zone: "public.example", Removal: "ask nicely", Problem: "not for public resolvers"},
		{Zone: "sold.example", Removal: "ask nicely", Problem: "it answers 198.51.100.1, which is no blocklist's answer; the name may belong to somebody else now"},
		{Zone: "broken.example", Removal: "ask nicely", Problem: "DNS failed: server misbehaving"},
		{Zone: "relays.ordb.org", Removal: "ask nicely", Problem: "it ended in 2006-12: since 2008-03 it answered that every address is listed, so that all mail is refused"},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	found = l.Ask(t.Context(), netip.MustParseAddr("2001:db8::7"), []knowledge.Blocklist{list("listed.example")})
	if !found[0].Listed {
		t.Errorf("IPv6: %+v", found)
	}
	l.Timeout = 50 * time.Millisecond
	found = l.Ask(t.Context(), netip.MustParseAddr("203.0.113.5"), []knowledge.Blocklist{list("slow.example")})
	if found[0].Problem != "no answer within 50ms" {
		t.Errorf("a list that does not answer: %+v", found)
	}
}

func TestReversed(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.5":        "5.113.0.203.",
		"::ffff:203.0.113.5": "5.113.0.203.",
		"2001:db8::7":        "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.",
	} {
		if got := reversed(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
