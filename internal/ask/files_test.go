package ask

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// Files that overlap are read side by side, so that the order of the events, and
// what sessions tell, do not depend on the order of the arguments.
func TestFilesSideBySide(t *testing.T) {
	dir := t.TempDir()
	began := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	var files []string
	for f := range 3 {
		var b bytes.Buffer
		for i := range 200 {
			at := began.Add(time.Duration(3*i+f) * time.Second)
			client := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
			b.WriteString(at.Format(time.RFC3339) + " mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[" + client.String() +
				"]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>\n")
		}
		name := filepath.Join(dir, strconv.Itoa(9-f)+".log")
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append([]string{name}, files...)
	}
	l := Files{Names: append(files, files[0])}
	var last time.Time
	n := 0
	err := l.Read(t.Context(), func(e *relaylens.Event) {
		if e.Time.Before(last) {
			t.Errorf("%s comes after %s", e.Time, last)
		}
		last = e.Time
		n++
	})
	if err != nil || n != 600 {
		t.Errorf("%d events, %v", n, err)
	}
}

// A summary counts the events of copies once, and of other logs all, though they
// need no ids for that; it has them where it is asked for them.
func TestSummaryOfCopies(t *testing.T) {
	dir := t.TempDir()
	line := func(client string) string {
		return "2026-11-20T09:00:00Z mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[" + client +
			"]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>\n"
	}
	var names []string
	for name, text := range map[string]string{"a": line("192.0.2.1") + line("192.0.2.2"), "b": line("192.0.2.1") + line("192.0.2.2"), "c": line("192.0.2.3") + line("192.0.2.3")} {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for name, tt := range map[string]struct {
		files []string
		want  int64
	}{
		"one":               {names[2:], 2},
		"two copies":        {names[:2], 2},
		"others":            {names[1:], 4},
		"copies and others": {names, 4},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := NewSummary(SummaryOptions{Top: 5, Now: time.Now(), Location: time.UTC, Files: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.CountFiles(t.Context(), &Files{Names: tt.files}); err != nil {
				t.Fatal(err)
			}
			if got := s.Report(10).Refusals; got != tt.want {
				t.Errorf("%d refusals, want %d", got, tt.want)
			}
		})
	}
	byID, err := NewSummary(SummaryOptions{By: []string{"id"}, Top: -1, Now: time.Now(), Location: time.UTC, Files: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := byID.CountFiles(t.Context(), &Files{Names: names[2:]}); err != nil {
		t.Fatal(err)
	}
	if got := byID.Table(); len(got.Groups) != 2 {
		t.Errorf("%d groups by id, want 2: %+v", len(got.Groups), got.Groups)
	}
}
