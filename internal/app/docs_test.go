package app

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

const (
	metricsDoc = "../../docs/metrics.md"
	docBegin   = "<!-- Begin of what the program says; go test ./internal/app -update writes it. -->\n"
	docEnd     = "<!-- End of what the program says. -->\n"
)

// The document names every metric that a daemon with a file has, and no other.
func TestMetricsDocument(t *testing.T) {
	text, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(text), docBegin)
	was, tail, ok2 := strings.Cut(rest, docEnd)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the marks between which the list stands", metricsDoc)
	}
	is := describeMetrics(t)
	if *update {
		if err := os.WriteFile(metricsDoc, []byte(head+docBegin+is+docEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(was, is); diff != "" {
		t.Errorf("%s is not what the program says (- document, + program); run go test ./internal/app -update:\n%s", metricsDoc, diff)
	}
}

// describeMetrics lists what a daemon exports that follows a real file, a
// journal and a socket.
func describeMetrics(t *testing.T) string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, log, refusalLine+"\n")
	r := started(t, func(o *Options) {
		o.newSource = nil
		o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: "http://127.0.0.1:9"}} // nothing listens there
		o.Config.Sources = []config.Source{
			{Type: "file", Path: log, MTA: "auto", Start: "begin"},
			{Type: "journal", Directory: t.TempDir(), MTA: "auto"},
			{Type: "syslog", Listen: "unixgram://" + filepath.Join(t.TempDir(), "log"), MTA: "auto"},
		}
	})
	waitFor(t, func() bool {
		_, body := r.get("/metrics")
		return strings.Contains(body, denials+"1\n") && strings.Contains(body, "\nrelaylens_last_line_timestamp_seconds{") &&
			strings.Contains(body, "\nrelaylens_top_refusals{") // of lists that are made once a second
	})
	families, err := r.exporter.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "relaylens_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		fmt.Fprintf(&b, "### %s\n\n%s", f.GetName(), strings.ToLower(f.GetType().String()))
		if len(labels) > 0 {
			fmt.Fprintf(&b, " by `%s`", strings.Join(slices.Sorted(maps.Keys(labels)), "`, `"))
		}
		fmt.Fprintf(&b, ". %s\n\n", f.GetHelp())
	}
	describeLists(&b)
	return b.String()
}

// describeLists writes the closed lists that labels come from.
func describeLists(b *strings.Builder) {
	b.WriteString("### Kinds and reasons\n\n| kind | reasons |\n|---|---|\n")
	for _, k := range relaylens.RefusalKinds() {
		fmt.Fprintf(b, "| `%s` | %s |\n", k, names(k.Reasons()))
	}
	b.WriteString("\n### Causes and faults\n\n| fault | causes |\n|---|---|\n")
	for _, f := range append(relaylens.Faults(), relaylens.FaultNone) {
		causes := slices.DeleteFunc(relaylens.Causes(), func(c relaylens.Cause) bool { return c.Fault() != f })
		fmt.Fprintf(b, "| %s | %s |\n", names([]relaylens.Fault{f}), names(causes))
	}
	fmt.Fprintf(b, "\n### Results of lines\n\n`%s`\n\n", strings.Join(resultNames(), "`, `"))
}

func names[T fmt.Stringer](values []T) string {
	var list []string
	for _, v := range values {
		list = append(list, "`"+cmp.Or(v.String(), "none")+"`")
	}
	return strings.Join(list, ", ")
}
