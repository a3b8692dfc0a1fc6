package prom

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/relaylens/relaylens"
)

func newExporter(t testing.TB, maxHosts int) *Exporter {
	t.Helper()
	return New(Options{Host: "mx1", MaxHosts: maxHosts, Results: []string{"refusal", "foreign"}, Version: "1.2.3", Revision: "abc"})
}

func denied(host string) *relaylens.Event {
	return &relaylens.Event{Host: host, MTA: relaylens.Postfix, Kind: relaylens.KindRelayDenied,
		Direction: relaylens.Inbound, Code: 554, Cause: relaylens.CauseOpenRelayProbe}
}

// body is what a scrape of x gets.
func body(t testing.TB, x *Exporter) string {
	t.Helper()
	w := httptest.NewRecorder()
	x.Handler(failLogger{t}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type failLogger struct{ testing.TB }

func (l failLogger) Println(v ...any) { l.Error(v...) }

// moved lists the samples of refusals, causes, messages and logins that are not zero.
func moved(t testing.TB, x *Exporter) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(body(t, x)) {
		line = strings.TrimSpace(line)
		for _, name := range []string{"refusals", "causes", "messages", "logins"} {
			if strings.HasPrefix(line, "relaylens_"+name+"_total{") && !strings.HasSuffix(line, " 0") {
				lines = append(lines, strings.TrimPrefix(line, "relaylens_"))
			}
		}
	}
	return lines
}

func TestCount(t *testing.T) {
	postfix := func(ev relaylens.Event) relaylens.Event {
		ev.Host, ev.MTA = "mx1", relaylens.Postfix
		return ev
	}
	for name, tt := range map[string]struct {
		ev   relaylens.Event
		want []string
	}{
		"relay denied": {
			*denied("mx1"),
			[]string{
				`causes_total{cause="open_relay_probe",fault="attacker",host="mx1",mta="postfix"} 1`,
				`refusals_total{class="5xx",direction="inbound",host="mx1",kind="relay_denied",mta="postfix",reason="none"} 1`,
			}},
		"login refused": {
			postfix(relaylens.Event{Kind: relaylens.KindAuthFailed, Direction: relaylens.Inbound, Reason: relaylens.ReasonCancelled,
				Code: 501, Cause: relaylens.CauseAuthCancelled}),
			[]string{
				`causes_total{cause="auth_cancelled",fault="client",host="mx1",mta="postfix"} 1`,
				`logins_total{host="mx1",mta="postfix",result="failed"} 1`,
				`refusals_total{class="5xx",direction="inbound",host="mx1",kind="auth_failed",mta="postfix",reason="cancelled"} 1`,
			}},
		"our login refused by a relayhost is no login at this server": {
			postfix(relaylens.Event{Kind: relaylens.KindAuthFailed, Direction: relaylens.Outbound, Reason: relaylens.ReasonCredentials,
				Code: 535, Cause: relaylens.CauseUnknown}),
			[]string{
				`causes_total{cause="unknown",fault="none",host="mx1",mta="postfix"} 1`,
				`refusals_total{class="5xx",direction="outbound",host="mx1",kind="auth_failed",mta="postfix",reason="credentials"} 1`,
			}},
		"the class follows the code, not the field": {
			postfix(relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonGreylist, Direction: relaylens.Inbound,
				Code: 554, Class: relaylens.Class4xx, Cause: relaylens.CausePolicy}),
			[]string{
				`causes_total{cause="policy",fault="none",host="mx1",mta="postfix"} 1`,
				`refusals_total{class="5xx",direction="inbound",host="mx1",kind="rejected",mta="postfix",reason="greylist"} 1`,
			}},
		"nothing but a kind": {
			postfix(relaylens.Event{Kind: relaylens.KindSenderVerify}),
			[]string{
				`causes_total{cause="unknown",fault="none",host="mx1",mta="postfix"} 1`,
				`refusals_total{class="5xx",direction="inbound",host="mx1",kind="sender_verify",mta="postfix",reason="unverified"} 1`,
			}},
		"a reason of another kind": {
			postfix(relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonNullMX, Code: 550}),
			[]string{
				`causes_total{cause="unknown",fault="none",host="mx1",mta="postfix"} 1`,
				`refusals_total{class="5xx",direction="inbound",host="mx1",kind="rejected",mta="postfix",reason="other"} 1`,
			}},
		"no code, temporary by its reason": {
			postfix(relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainTempfail, Direction: relaylens.Inbound}),
			[]string{
				`causes_total{cause="unknown",fault="none",host="mx1",mta="postfix"} 1`,
				`refusals_total{class="4xx",direction="inbound",host="mx1",kind="sender_verify",mta="postfix",reason="domain_tempfail"} 1`,
			}},
		"warned, not refused":      {postfix(relaylens.Event{Kind: relaylens.KindRelayDenied, Action: relaylens.ActionWarn, Code: 554}), nil},
		"accepted":                 {postfix(relaylens.Event{Kind: relaylens.KindAccepted}), []string{`messages_total{host="mx1",mta="postfix",status="accepted"} 1`}},
		"delivered":                {postfix(relaylens.Event{Kind: relaylens.KindDelivered}), []string{`messages_total{host="mx1",mta="postfix",status="delivered"} 1`}},
		"login":                    {postfix(relaylens.Event{Kind: relaylens.KindAuthOK}), []string{`logins_total{host="mx1",mta="postfix",result="ok"} 1`}},
		"our login at a relayhost": {postfix(relaylens.Event{Kind: relaylens.KindAuthOK, Direction: relaylens.Outbound}), nil},
		"connection":               {postfix(relaylens.Event{Kind: relaylens.KindConnection}), nil},
		"no host is the local host": {
			relaylens.Event{MTA: relaylens.Exim, Kind: relaylens.KindAccepted},
			[]string{`messages_total{host="mx1",mta="exim",status="accepted"} 1`}},
		"no MTA": {relaylens.Event{Host: "mx1", Kind: relaylens.KindRelayDenied}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			x := newExporter(t, 4)
			x.Count(&tt.ev)
			if diff := cmp.Diff(tt.want, moved(t, x)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every combination that an event can have is counted exactly once, in a series
// that was there before.
func TestCountEveryCombination(t *testing.T) {
	x := newExporter(t, 1)
	before := testutil.CollectAndCount(x.refusals)
	want := 0
	for _, m := range relaylens.MTAs() {
		for _, k := range relaylens.RefusalKinds() {
			for _, r := range k.Reasons() {
				for _, d := range relaylens.Directions() {
					for _, code := range []uint16{450, 550} {
						x.Count(&relaylens.Event{MTA: m, Kind: k, Reason: r, Direction: d, Code: code})
						want++
					}
				}
			}
		}
		for _, c := range relaylens.Causes() {
			x.Count(&relaylens.Event{MTA: m, Kind: relaylens.KindRelayDenied, Code: 554, Cause: c})
		}
	}
	if before != want {
		t.Errorf("%d series before the first event, want one for each of %d combinations", before, want)
	}
	if got := testutil.CollectAndCount(x.refusals); got != before {
		t.Errorf("%d series after all events, want the %d from the start", got, before)
	}
	for _, line := range strings.Split(body(t, x), "\n") {
		if strings.HasPrefix(line, "relaylens_refusals_total") && strings.HasSuffix(line, " 0") ||
			strings.HasPrefix(line, "relaylens_causes_total") && strings.HasSuffix(line, " 0") {
			t.Errorf("not counted: %s", line)
		}
	}
}

func TestHostsAreBounded(t *testing.T) {
	x := newExporter(t, 3)
	for i := range 10 {
		x.Count(denied(fmt.Sprintf("mx%d", i))) // mx1 is the local host
	}
	want := map[string]float64{"mx0": 1, "mx1": 1, "mx2": 1, OtherHost: 7}
	for host, n := range want {
		got := testutil.ToFloat64(x.causes.WithLabelValues(host, "postfix", "open_relay_probe", "attacker"))
		if got != n {
			t.Errorf("host %s: %v refusals, want %v", host, got, n)
		}
	}
	perHost := testutil.CollectAndCount(x.logins) / len(want)
	if got := len(relaylens.MTAs()) * int(numLogins); got != perHost {
		t.Errorf("%d login series a host, want %d", perHost, got)
	}
	x.SetMaxHosts(4)
	x.Count(denied("late"))
	if got := testutil.ToFloat64(x.causes.WithLabelValues("late", "postfix", "open_relay_probe", "attacker")); got != 1 {
		t.Errorf("after raising the bound, host late has %v refusals, want 1", got)
	}
}

func TestGarbageIsNoHost(t *testing.T) {
	for _, host := range []string{"\xff\xfe", "mx\x1b[2J", "two words", strings.Repeat("x", 256), "line\nfeed"} {
		t.Run(fmt.Sprintf("%.20q", host), func(t *testing.T) {
			x := newExporter(t, 100)
			x.Count(denied(host))
			if got := testutil.ToFloat64(x.causes.WithLabelValues(OtherHost, "postfix", "open_relay_probe", "attacker")); got != 1 {
				t.Errorf("host other has %v refusals, want 1", got)
			}
			body(t, x)
		})
	}
}

// The machine's own name is a host whatever it is: lines without one are of it.
func TestOwnHostIsAHost(t *testing.T) {
	x := New(Options{Host: "mail server", MaxHosts: 4})
	x.Count(denied(""))
	if got := testutil.ToFloat64(x.causes.WithLabelValues("mail server", "postfix", "open_relay_probe", "attacker")); got != 1 {
		t.Errorf("the machine has %v refusals, want 1", got)
	}
}

// Without a code, what passes by itself is temporary.
func TestClassWithoutCode(t *testing.T) {
	var got []string
	for _, r := range relaylens.Reasons() {
		if fallbackClass(r) == relaylens.Class4xx {
			got = append(got, r.String())
		}
	}
	want := []string{"domain_tempfail", "callout_tempfail", "callout_no_connection", "backend", "rate_limit", "greylist", "resources"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("temporary (-want +got):\n%s", diff)
	}
}

// A problem has a cause: none is counted under unknown, and under policy only those of the
// server's own helpers.
func TestFindingsByCause(t *testing.T) {
	x := newExporter(t, 1)
	x.Findings().Set([]relaylens.Finding{{Cause: relaylens.CausePolicy}, {Cause: relaylens.CausePolicy}, {Cause: relaylens.CauseUnknown}, {Cause: relaylens.CauseStalePassword}})
	got := body(t, x)
	for _, want := range []string{`{cause="policy",fault="server"} 2`, `{cause="stale_password",fault="client"} 1`, `{cause="restriction_order",fault="server"} 0`} {
		if !strings.Contains(got, "relaylens_findings"+want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Contains(got, `relaylens_findings{cause="unknown"`) || strings.Contains(got, `cause="policy",fault="none"} 2`) {
		t.Error("findings are counted under causes that have none")
	}
}

// A host name aliases its batch, whose memory is used again.
func TestHostNameIsCloned(t *testing.T) {
	x := newExporter(t, 4)
	text := []byte("mx7 rest of the line")
	x.Count(denied(unsafe.String(&text[0], 3)))
	copy(text, "XXX")
	if !strings.Contains(body(t, x), `host="mx7"`) || strings.Contains(body(t, x), `host="XXX"`) {
		t.Error("the host label follows the memory of the line")
	}
	x.Count(denied("mx7"))
	if got := testutil.ToFloat64(x.causes.WithLabelValues("mx7", "postfix", "open_relay_probe", "attacker")); got != 2 {
		t.Errorf("mx7 has %v refusals, want 2", got)
	}
}

func TestSource(t *testing.T) {
	x := newExporter(t, 1)
	s := x.Source("/var/log/mail.log")
	if strings.Contains(body(t, x), "relaylens_last_line_timestamp_seconds{") {
		t.Error("a source without lines has a time of its last line")
	}
	s.Add(0, 3)
	x.Source("/var/log/mail.log").Add(1, 39)
	s.LastLine(time.UnixMilli(1700000000250))
	s.LastLine(time.Time{}) // of lines without one
	s.Failed()
	got := body(t, x)
	for _, want := range []string{
		`relaylens_lines_total{result="refusal",source="/var/log/mail.log"} 3`,
		`relaylens_lines_total{result="foreign",source="/var/log/mail.log"} 39`,
		`relaylens_last_line_timestamp_seconds{source="/var/log/mail.log"} 1.70000000025e+09`,
		`relaylens_source_failures_total{source="/var/log/mail.log"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
	x.DropSource("/var/log/mail.log")
	x.DropSource("never there")
	if strings.Contains(body(t, x), "/var/log/mail.log") {
		t.Error("series of a dropped source are still there")
	}
}

func TestSourcesAreBounded(t *testing.T) {
	x := newExporter(t, 1)
	for i := range maxSources + 5 {
		x.Source(fmt.Sprintf("/var/log/mail-%d.log", i)).Add(0, 1)
	}
	if got := testutil.CollectAndCount(x.failures); got != maxSources+1 {
		t.Errorf("%d sources have series, want %d", got, maxSources+1)
	}
	if got := testutil.ToFloat64(x.lines.WithLabelValues(OtherHost, "refusal")); got != 5 {
		t.Errorf("source other has %v lines, want 5", got)
	}
}

func TestReloadedAndQueue(t *testing.T) {
	x := newExporter(t, 1)
	x.Queue("batches", 4, func() int { return 3 })
	x.Reloaded(true, time.Unix(1700000000, 0))
	x.Reloaded(false, time.Unix(1800000000, 0))
	got := body(t, x)
	for _, want := range []string{
		`relaylens_queue_length{queue="batches"} 3`,
		`relaylens_queue_capacity{queue="batches"} 4`,
		`relaylens_config_last_reload_successful 0`,
		`relaylens_config_last_reload_success_timestamp_seconds 1.7e+09`,
		`relaylens_build_info{`,
		`process_open_fds `, `go_goroutines `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestTwoInstances(t *testing.T) {
	a, b := newExporter(t, 2), newExporter(t, 2)
	a.Count(denied("mx1"))
	if got := moved(t, b); got != nil {
		t.Errorf("the second instance counted what the first was given: %v", got)
	}
}

func TestLint(t *testing.T) {
	x := newExporter(t, 2)
	x.Queue("batches", 4, func() int { return 0 })
	x.Source("/var/log/mail.log").LastLine(time.Unix(1700000000, 0))
	problems, err := testutil.GatherAndLint(x.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestPromtoolAcceptsBody(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed (Debian package prometheus)")
	}
	x := newExporter(t, 2)
	x.Queue("batches", 4, func() int { return 0 })
	x.Count(denied("mx1"))
	x.Source("/var/log/mail.log").LastLine(time.Unix(1700000000, 0))
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(body(t, x))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func TestConcurrentUse(t *testing.T) {
	x := newExporter(t, 5)
	var wg sync.WaitGroup
	const workers, each = 4, 500
	for range workers {
		wg.Go(func() {
			for i := range each {
				x.Count(denied(fmt.Sprintf("mx%d", i%9)))
				x.Source(fmt.Sprint(i%3)).Add(0, 1)
			}
		})
	}
	for range 3 {
		body(t, x)
	}
	wg.Wait()
	total := 0.0
	for _, line := range moved(t, x) {
		var n float64
		if strings.HasPrefix(line, "refusals_total") {
			if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' '):], "%g", &n); err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	if total != workers*each {
		t.Errorf("%v refusals counted, want %d", total, workers*each)
	}
}

func TestCountDoesNotAllocate(t *testing.T) {
	x := newExporter(t, 2)
	x.Count(denied("mx2"))
	x.Count(denied("mx3"))
	for _, host := range []string{"mx1", "mx2", "beyond the bound"} {
		ev := denied(host)
		if n := testing.AllocsPerRun(100, func() { x.Count(ev) }); n != 0 {
			t.Errorf("host %s: %v allocations an event", host, n)
		}
	}
}

func BenchmarkCount(b *testing.B) {
	for _, host := range []string{"mx1", "other-host.example.com", "beyond-the-bound"} {
		b.Run(host, func(b *testing.B) {
			x := newExporter(b, 2)
			x.Count(denied("other-host.example.com"))
			ev := denied(host)
			b.ReportAllocs()
			for b.Loop() {
				x.Count(ev)
			}
		})
	}
}

func BenchmarkScrape(b *testing.B) {
	x := newExporter(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		body(b, x)
	}
}

func TestCommits(t *testing.T) {
	x := New(Options{Host: "mx1", MaxHosts: 1})
	c := x.Commits([]string{"full", "locked"})
	c.Failed("full")
	c.Failed("none that there is")
	if full, locked, up := testutil.ToFloat64(c.failures["full"]), testutil.ToFloat64(c.failures["locked"]), testutil.ToFloat64(c.up); full != 1 || locked != 0 || up != 0 {
		t.Errorf("%v times full, %v times locked, up %v", full, locked, up)
	}
	c.Done(time.Second, 3)
	if stored, up := testutil.ToFloat64(c.stored), testutil.ToFloat64(c.up); stored != 3 || up != 1 {
		t.Errorf("%v stored, up %v", stored, up)
	}
}
