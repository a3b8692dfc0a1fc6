//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// event is what relaylens prints of one, as far as the tests judge it.
type event struct {
	refusal
	json string
}

func relaylens(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// parse lists the events of files.
func parse(t *testing.T, files ...string) []event {
	t.Helper()
	cmd := relaylens(t, append([]string{"parse", "-o", "json"}, files...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("relaylens parse: %v\n%s", err, stderr.Bytes())
	}
	var events []event
	for line := range bytes.Lines(out) {
		var e event
		if err := json.Unmarshal(line, &e.refusal); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		e.json = strings.TrimSpace(string(line))
		events = append(events, e)
	}
	return events
}

// daemon is a running `relaylens serve`.
type daemon struct {
	*testutil.Daemon
	t *testing.T
}

// serve starts the daemon over files and waits until it is ready.
func serve(t *testing.T, files ...string) *daemon {
	t.Helper()
	return &daemon{testutil.Serve(t, append([]string{"--data-dir", t.TempDir()}, files...)...), t}
}

func (d *daemon) get(path string) string {
	d.t.Helper()
	response, err := http.Get(d.URL + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		d.t.Fatalf("GET %s: %s: %v\n%s", path, response.Status, err, body)
	}
	return string(body)
}

// sample is one line of /metrics.
type sample struct {
	labels map[string]string
	value  float64
}

// refusals are the samples of relaylens_refusals_total. The labels are closed
// lists and a host name: none of their values needs escaping.
func (d *daemon) refusals() []sample {
	d.t.Helper()
	var samples []sample
	for lines := bufio.NewScanner(strings.NewReader(d.get("/metrics"))); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), "relaylens_refusals_total{")
		if !ok {
			continue
		}
		labels, number, ok := strings.Cut(rest, "} ")
		value, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil {
			d.t.Fatalf("no sample: %s", lines.Text())
		}
		s := sample{labels: map[string]string{}, value: value}
		for pair := range strings.SplitSeq(labels, ",") {
			name, value, _ := strings.Cut(pair, "=")
			s.labels[name] = strings.Trim(value, `"`)
		}
		samples = append(samples, s)
	}
	return samples
}

// total adds all samples up.
func total(samples []sample) float64 {
	n := 0.0
	for _, s := range samples {
		n += s.value
	}
	return n
}
