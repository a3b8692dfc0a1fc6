package tailer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// Somebody kills journalctl; the source starts it again and goes on.
func TestJournalctlIsStartedAgain(t *testing.T) {
	j := newRemoteJournal(t)
	j.write("a", bootA, 5)
	r := runJournal(t, JournalOptions{Directory: j.dir, Start: StartBegin})
	got, _ := r.take(5)
	pids := children(t, j.dir)
	if len(pids) != 1 {
		t.Fatalf("%d children", len(pids))
	}
	kill(t, pids...)
	j.write("b", bootA, 5)
	more, _ := r.take(5)
	wantMessages(t, numbers(0, 10), append(got, more...))
	if n := testutil.ToFloat64(r.metrics.restartsOf("journal")); n != 1 {
		t.Errorf("%v restarts counted", n)
	}
	if up := testutil.ToFloat64(r.metrics.source("journal").up); up != 1 {
		t.Error("source is not up")
	}
	r.stop()
	if pids := children(t, j.dir); len(pids) != 0 {
		t.Errorf("%d children left", len(pids))
	}
	if up := testutil.ToFloat64(r.metrics.source("journal").up); up != 0 {
		t.Error("source is still up")
	}
}

// fake writes a program that takes the place of journalctl.
func fake(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journalctl")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestJournalctlMissing(t *testing.T) {
	for name, command := range map[string]string{"in PATH": "no-such-journalctl", "by path": filepath.Join(t.TempDir(), "journalctl")} {
		t.Run(name, func(t *testing.T) {
			err := NewJournal(JournalOptions{Command: command}).Run(t.Context(), nil)
			if e := new(Error); !errors.As(err, &e) || e.Remedy == "" {
				t.Errorf("error %v has no remedy", err)
			}
		})
	}
}

// What journalctl says is logged once, escaped and cut.
func TestJournalctlComplains(t *testing.T) {
	r := runJournal(t, JournalOptions{Start: StartBegin, Command: fake(t, `printf 'a\033[2Jb\n%01000d\nNo journal files were opened due to insufficient permissions.\n' 0 >&2; exit 1`)})
	said := func() []string {
		var all []string
		for _, e := range r.logs.FilterMessage("journalctl says").All() {
			all = append(all, e.ContextMap()["text"].(string))
		}
		return all
	}
	eventually(t, func() bool { return testutil.ToFloat64(r.metrics.restartsOf("journal")) >= 2 })
	wantMessages(t, []string{`a\x1b[2Jb`, strings.Repeat("0", maxTold), "No journal files were opened due to insufficient permissions."}, said())
	if n := r.logs.FilterMessage("journalctl ended, starting it again").Len(); n != 1 {
		t.Errorf("its end is logged %d times", n)
	}
	if testutil.ToFloat64(r.metrics.source("journal").up) != 0 {
		t.Error("the source is up")
	}
}

// Half an entry at the end of a run is not handed on, and remarks are none.
func TestJournalHalfEntry(t *testing.T) {
	whole := `{"__CURSOR":"s=1;i=1","SYSLOG_IDENTIFIER":"x","MESSAGE":"whole"}`
	r := runJournal(t, JournalOptions{Start: StartBegin, Command: fake(t, `case "$*" in *--cursor=s=1*) printf '%s\n%s\n' '`+whole+`' '{"MESSAGE":"second","SYSLOG_IDENTIFIER":"x","__CURSOR":"s=1;i=2"}'; exec sleep 60;; *) printf '%s\n%s' '-- Boot x --
`+whole+`' '{"__CURSOR":"s=1;i=2","MESS';; esac`)})
	got, p := r.take(2)
	wantMessages(t, []string{"whole", "second"}, got)
	if p.Cursor != "s=1;i=2" {
		t.Errorf("position %q", p.Cursor)
	}
}

// An entry that was read while it was written lacks a field; another look finds it.
func TestJournalTornEntries(t *testing.T) {
	const program = `"SYSLOG_IDENTIFIER":"x"`
	looks := filepath.Join(t.TempDir(), "looks")
	r := runJournal(t, JournalOptions{Start: StartBegin, Command: fake(t, `case "$*" in
*--lines=1*--cursor=c1*) echo '{"__CURSOR":"c1",`+program+`,"MESSAGE":"one"}';;
*--lines=1*--cursor=c2*) echo look >> `+looks+`; [ $(wc -l < `+looks+`) = 1 ] || echo '{"__CURSOR":"c2",`+program+`,"MESSAGE":"two"}';;
*--lines=1*--cursor=c3*) echo '{"__CURSOR":"c4",`+program+`,"MESSAGE":"another"}';;
*) printf '%s\n' '{"__CURSOR":"c1","MESSAGE":"one"}' '{"__CURSOR":"c2",`+program+`}' '{"__CURSOR":"c3",`+program+`}' '{"__CURSOR":"c4",`+program+`,"MESSAGE":"four"}'; exec sleep 60;;
esac`)})
	got, _ := r.take(4)
	wantMessages(t, []string{"one", "two", "", "four"}, got)
}
