package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/tailer"
)

// told is a refusal as both sides can tell of it.
type told struct {
	Kind, Direction, Reason         string
	Client, Sender, Recipient, User string
}

// TestTruth reads generated logs and finds every refusal in them, with its
// client, once, and nothing else.
func TestTruth(t *testing.T) {
	for _, o := range []options{
		{mta: "postfix", stamps: "rfc3164"},
		{mta: "postfix", stamps: "rfc3339", hosts: 1},
		{mta: "postfix", stamps: "rfc3164", uniform: true},
		{mta: "exim", stamps: "native", hosts: 1},
		{mta: "exim", stamps: "rfc3164"},
		{mta: "exim", stamps: "rfc3339"},
		{mta: "exim", stamps: "native", uniform: true},
		{mta: "sendmail", stamps: "rfc3164"},
		{mta: "sendmail", stamps: "rfc3339", hosts: 1},
		{mta: "sendmail", stamps: "rfc3339", uniform: true},
	} {
		t.Run(fmt.Sprintf("%s/%s/uniform=%v", o.mta, o.stamps, o.uniform), func(t *testing.T) {
			o.size, o.seed, o.clients, o.rate = 2e6, 7, 2000, 5
			o.hosts = max(o.hosts, 2)
			want := map[told]int{}
			log, g := generated(t, o, func(r refusal) {
				want[told{r.Kind, r.Direction, r.Reason, address(r.client), r.sender, r.rcpt, r.user}]++
			})
			r := g.truth.report(g.options)
			if share := float64(r.Refusals) / float64(r.Lines); share < 0.05 || share > 0.065 && !o.uniform {
				t.Errorf("%.3f of all lines are refusals", share)
			}
			if diff := cmp.Diff(want, read(t, log)); diff != "" {
				t.Errorf("- truth, + read: %s", diff)
			}
			if n := int64(bytes.Count(log, []byte{'\n'})); g.truth.lines != n || g.truth.bytes != int64(len(log)) {
				t.Errorf("%d lines of %d bytes, the truth says %d of %d", n, len(log), g.truth.lines, g.truth.bytes)
			}
		})
	}
}

func generated(t *testing.T, o options, keep func(refusal)) ([]byte, *generator) {
	t.Helper()
	g, err := newGenerator(o)
	if err != nil {
		t.Fatal(err)
	}
	g.truth.keep = keep
	var log bytes.Buffer
	w := bufio.NewWriter(&log)
	if _, err := g.writeTo(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return log.Bytes(), g
}

// read tells the refusals in log as `relaylens parse` does.
func read(t *testing.T, log []byte) map[told]int {
	t.Helper()
	p, err := parsers.New(parsers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[told]int{}
	c := classifier.New()
	event := func(e *relaylens.Event) {
		c.Classify(e)
		if !e.Refusal() {
			return
		}
		k := e.Clone() // told keeps the strings
		got[told{k.Kind.String(), k.Direction.String(), k.Reason.String(), k.ClientIP.String(), k.Sender, k.Recipient, k.User}.fair()]++
	}
	r := tailer.NewReader("log", bytes.NewReader(log), epoch.AddDate(0, 0, 1))
	for {
		batch, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Feed(batch, event)
	}
	p.Flush(event)
	if n := p.Total()[parsers.ResultMalformed]; n > 0 {
		t.Errorf("%d lines were not understood", n)
	}
	return got
}

// fair leaves out the user of what is no failed login: it is the sender.
func (k told) fair() told {
	if k.Kind != "auth_failed" {
		k.User = ""
	}
	return k
}

// TestSeed: the same seed gives the same log, another one another.
func TestSeed(t *testing.T) {
	o := options{mta: "postfix", stamps: "rfc3339", size: 200e3, seed: 1, clients: 1000, hosts: 2, rate: 2}
	first, _ := generated(t, o, nil)
	second, _ := generated(t, o, nil)
	if !bytes.Equal(first, second) {
		t.Error("two logs of one seed differ")
	}
	o.seed = 2
	third, _ := generated(t, o, nil)
	if bytes.Equal(first, third) {
		t.Error("two seeds give one log")
	}
}

// TestUniform: in the uniform log each session has a client of its own.
func TestUniform(t *testing.T) {
	_, g := generated(t, options{mta: "postfix", stamps: "rfc3164", size: 2e6, seed: 1, clients: 1e6, hosts: 2, rate: 2, uniform: true}, nil)
	r := g.truth.report(g.options)
	if uint64(r.Clients)*10 < r.Refusals*7 || r.Top[0].Refusals > 3 {
		t.Errorf("%d clients for %d refusals, one of them %d times", r.Clients, r.Refusals, r.Top[0].Refusals)
	}
}

// TestAddresses: no two clients share an address.
func TestAddresses(t *testing.T) {
	seen := map[string]int{}
	for n := range 300000 {
		a := address(n)
		if m, ok := seen[a]; ok {
			t.Fatalf("%s is of %d and of %d", a, m, n)
		}
		seen[a] = n
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"1GB": 1e9, "1.5MB": 1500000, "100kB": 100e3, "17B": 17, "17": 17} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "MB", "-1MB", "1TB", "0"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("parseSize(%q) = %d", s, got)
		}
	}
}
