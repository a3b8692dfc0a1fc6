package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens/store"
)

// denialsOf is a log of n refusals whose recipients are numbered from first.
func denialsOf(first, n int) string {
	var b strings.Builder
	for i := first; i < first+n; i++ {
		b.WriteString(strings.ReplaceAll(refusalLine, "b@example.net", fmt.Sprintf("r%05d@example.net", i)))
		b.WriteByte('\n')
	}
	return b.String()
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// storedRecipients lists who is in the store of a data directory.
func storedRecipients(t *testing.T, dir string) (recipients []string) {
	t.Helper()
	s, err := store.OpenReadOnly(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for e, err := range s.Events(context.Background(), store.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		recipients = append(recipients, e.Recipient)
	}
	return recipients
}

// TestRestart stops the daemon and starts it again, while the log is written to
// and rotated: the store holds every refusal once.
func TestRestart(t *testing.T) {
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "mail.log")
	run := func(during func(), want int) {
		r := started(t, func(o *Options) {
			o.newSource, o.dataDir = nil, dir
			o.Config = testConfig(log)
			o.Config.Sources[0].Start = "begin"
		})
		during()
		waitFor(t, func() bool { return len(storedRecipients(t, dir)) >= want })
		r.stop()
	}
	appendTo(t, log, denialsOf(0, 100))
	run(func() { appendTo(t, log, denialsOf(100, 100)) }, 200)
	appendTo(t, log, denialsOf(200, 100)) // while it is down
	run(func() {}, 300)
	appendTo(t, log, denialsOf(300, 100))
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, log, denialsOf(400, 100))
	run(func() { appendTo(t, log, denialsOf(500, 100)) }, 600)

	var want []string
	for i := range 600 {
		want = append(want, fmt.Sprintf("r%05d@example.net", i))
	}
	got := storedRecipients(t, dir)
	if diff := cmp.Diff(want, got, cmp.Transformer("set", func(s []string) map[string]int {
		m := map[string]int{}
		for _, r := range s {
			m[r]++
		}
		return m
	})); diff != "" {
		t.Error(diff)
	}
}
