package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// besideJournalctl are command lines that select the same of the same events.
// {T7} is the time of event 7 and {C7} its cursor; events 10, 11 and 12 have one time.
var besideJournalctl = []string{
	"",
	"-r",
	"-n",
	"-n 3",
	"-n3",
	"-rn3",
	"-n 3 -r",
	"-n all",
	"-n 0",
	"-n 100",
	"--lines=4",
	"--lines 4",
	"-S {T7}",
	"-U {T7}",
	"-S {T7} -U {T9}",
	"--since={T7} --until={T9} --reverse",
	"-S {T10} -U {T10}",
	"-S {T28} -n 10",
	"-S {T5} -U {T12} -n 3 -r",
	"-S {L7} -U {L9}",
	"-S {D7}",
	"-S -12min",
	"-S -12min -U -5min",
	"-S yesterday -U tomorrow",
	"-S tomorrow",
	"-U yesterday",
	"-S now",
	"kind=relay_denied",
	"kind=relay_denied kind=rejected",
	"kind=relay_denied client_ip=203.0.113.1",
	"kind=auth_failed + client_ip=203.0.113.1 client_ip=203.0.113.2 kind=rejected",
	"kind=auth_failed + pid=3 + pid=4",
	"pid=9999",
	"kind=rejected -n 2",
	"kind=rejected -r -S {T9}",
	"-g denied",
	"-g 'relay access'",
	"-g Relay",
	"-g RELAY",
	"-g RELAY --case-sensitive=false",
	"-g relay --case-sensitive",
	"-g relay --case-sensitive=true -r",
	"-g 'denied|greylist' -S {T9} kind=rejected",
	"-g denied -n 2",
	"-g denied -n 2 -r",
	"-g denied -n all",
	"-g denied -n 3 -U {T15} kind=relay_denied",
	"--cursor={C10}",
	"-c {C11} -n 2",
	"--after-cursor {C10}",
	"--after-cursor {C11} -n 2",
	"--after-cursor {C11} -r",
	"--cursor {C11} -r -n 2",
	"--cursor {C5} -U {T9}",
	"--cursor {C5} kind=relay_denied",
	"--after-cursor {C6} kind=relay_denied -n 2",
	"--after-cursor {C29}",
	"-q -n 2 --utc",
	"--no-pager -n 2 --no-pager",
}

// byThePage are command lines on which systemd 252 does not do what
// journalctl(1) says, and later versions do: --lines are the most recent events
// of the span, and nothing behind a cursor is left out.
var byThePage = map[string]string{
	"-S {T20} -n 3":                     "28 29 30",            // 252: the first three
	"-S '12min ago' -n 2":               "29 30",               // 252: the first two
	"-U {T12} -n 4":                     "10 11 12 13",         // 252: nothing, unless it is among the last four of all
	"--after-cursor {C4} kind=rejected": "6 10 14 18 22 26 30", // 252: not 6, where the cursor's event does not match
	"-F kind kind=rejected pid=2":       "rejected",            // 252: matches and -F exclude each other
	"--cursor {C5} -r -U {T3} -n 2":     "4 3",                 // 252: -U is ignored beside -r and a cursor
}

func TestByThePage(t *testing.T) {
	events := thirty(time.Now().Add(-30 * time.Minute))
	data := t.TempDir()
	fillStore(t, data, events)
	for line, want := range byThePage {
		t.Run(line, func(t *testing.T) {
			args := append([]string{"events", "--data-dir", data, "-o", "json"},
				expand(words(line), events, func(n int) string { return relaylens.CursorOf(&events[n]).String() }, strings.ToLower)...)
			var stdout, stderr bytes.Buffer
			if code := run(args, strings.NewReader(""), &stdout, &stderr); code != 0 {
				t.Fatalf("relaylens %q: status %d: %s", args, code, stderr.Bytes())
			}
			got := strings.TrimSpace(stdout.String())
			if strings.HasPrefix(got, "{") {
				got = strings.Join(numbers(t, stdout.Bytes(), "pid"), " ")
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestBesideJournalctl(t *testing.T) {
	remote, err := exec.LookPath("systemd-journal-remote")
	if err != nil {
		remote, err = exec.LookPath("/lib/systemd/systemd-journal-remote")
	}
	if _, none := exec.LookPath("journalctl"); err != nil || none != nil {
		t.Skip("journalctl or systemd-journal-remote is not here")
	}
	events := thirty(time.Now().Add(-30 * time.Minute))
	dir := t.TempDir()
	fillJournal(t, remote, dir, events)
	data := t.TempDir()
	fillStore(t, data, events)
	cursors := journalCursors(t, dir)
	for _, line := range besideJournalctl {
		t.Run(line, func(t *testing.T) {
			args := words(line)
			want := numbers(t, journalctl(t, dir, expand(args, events, func(n int) string { return cursors[n] }, strings.ToUpper)), "N")
			ours := append([]string{"events", "--data-dir", data, "-o", "json"},
				expand(args, events, func(n int) string { return relaylens.CursorOf(&events[n]).String() }, strings.ToLower)...)
			var stdout, stderr bytes.Buffer
			if code := run(ours, strings.NewReader(""), &stdout, &stderr); code != 0 {
				t.Fatalf("relaylens %q: status %d: %s", ours, code, stderr.Bytes())
			}
			if diff := cmp.Diff(want, numbers(t, stdout.Bytes(), "pid")); diff != "" {
				t.Errorf("(- journalctl, + relaylens):\n%s", diff)
			}
		})
	}
}

// thirty events, one each minute.
func thirty(began time.Time) []relaylens.Event {
	kinds := []relaylens.Kind{relaylens.KindRelayDenied, relaylens.KindRejected, relaylens.KindRelayDenied, relaylens.KindAuthFailed}
	texts := []string{"Relay access denied", "greylisted", "relay access denied", "Access DENIED"}
	began = began.Truncate(time.Second)
	events := make([]relaylens.Event, 30)
	for i := range events {
		at := began.Add(time.Duration(i) * time.Minute)
		if i == 11 || i == 12 {
			at = events[10].Time
		}
		line := relaylens.Line{Text: "line", Offset: int64(i)}
		events[i] = relaylens.Event{
			ID: relaylens.NewID(&line, 0), Time: at, TimeDigits: 6, Host: "mx1", MTA: relaylens.Postfix, Service: "smtpd", PID: int32(i) + 1,
			Kind: kinds[i%4], Direction: relaylens.Inbound, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(i % 3)}), Code: 554, Text: texts[i*7%4],
		}
	}
	return events
}

// fillJournal writes events to a journal as the journal's own export format.
func fillJournal(t *testing.T, remote, dir string, events []relaylens.Event) {
	t.Helper()
	const boot = "00112233445566778899aabbccddeeff"
	var b strings.Builder
	for i := range events {
		e := &events[i]
		us := e.Time.UnixMicro()
		fmt.Fprintf(&b, "__CURSOR=s=%s;i=%x;b=%s;m=%x;t=%x;x=%x\n__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n",
			boot, i+1, boot, i+1, us, i+1, us, i+1, boot)
		fmt.Fprintf(&b, "MESSAGE=%s\nN=%d\nPID=%d\nKIND=%s\nCLIENT_IP=%s\n\n", summary.AppendMessage(nil, e), e.PID, e.PID, e.Kind, e.ClientIP)
	}
	export := filepath.Join(t.TempDir(), "export")
	if err := os.WriteFile(export, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(remote, "--split-mode=none", "-o", filepath.Join(dir, "mail.journal"), export).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func fillStore(t *testing.T, dir string, events []relaylens.Event) {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(t.Context(), &store.Batch{Events: events}); err != nil {
		t.Fatal(err)
	}
}

// journalctl runs it; that it found nothing is no error here.
func journalctl(t *testing.T, dir string, args []string) []byte {
	t.Helper()
	cmd := exec.Command("journalctl", append([]string{"--directory", dir, "--no-pager", "-q", "-o", "json"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && stderr.Len() > 0 {
		t.Fatalf("journalctl %q: %v: %s", args, err, stderr.Bytes())
	}
	return out
}

func journalCursors(t *testing.T, dir string) []string {
	t.Helper()
	var cursors []string
	for _, line := range bytes.Split(bytes.TrimSpace(journalctl(t, dir, nil)), []byte("\n")) {
		var entry struct {
			Cursor string `json:"__CURSOR"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		cursors = append(cursors, entry.Cursor)
	}
	return cursors
}

// numbers lists a field of each object.
func numbers(t *testing.T, out []byte, field string) []string {
	t.Helper()
	var list []string
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		var entry map[string]any
		if err := json.Unmarshal(sc.Bytes(), &entry); err != nil {
			t.Fatalf("%v: %s", err, sc.Bytes())
		}
		list = append(list, fmt.Sprint(entry[field]))
	}
	return list
}

// words splits a command line at spaces outside of single quotes.
func words(line string) []string {
	var list []string
	for _, w := range regexp.MustCompile(`'[^']*'|[^ ']+`).FindAllString(line, -1) {
		list = append(list, strings.Trim(w, "'"))
	}
	return list
}

var placeholder = regexp.MustCompile(`\{([TLDC])(\d+)\}`)

// expand puts times and cursors in, and writes the names of fields as they are.
func expand(args []string, events []relaylens.Event, cursor func(int) string, name func(string) string) []string {
	list := slices.Clone(args)
	for i, arg := range list {
		if field, value, ok := strings.Cut(arg, "="); ok && relaylens.IsMatchField(field) {
			list[i] = name(field) + "=" + value
		}
		list[i] = placeholder.ReplaceAllStringFunc(list[i], func(p string) string {
			m := placeholder.FindStringSubmatch(p)
			n, err := strconv.Atoi(m[2])
			if err != nil {
				return p
			}
			at := events[n].Time
			switch m[1] {
			case "T":
				return "@" + strconv.FormatInt(at.Unix(), 10)
			case "L":
				return at.Local().Format("2006-01-02 15:04:05")
			case "D":
				return at.Local().Format("2006-01-02 15:04")
			}
			return cursor(n)
		})
	}
	return list
}
