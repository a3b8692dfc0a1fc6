package tailer

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/relaylens/relaylens"
)

func messageOf(t testing.TB, text string) string {
	t.Helper()
	var entry struct {
		Message string `json:"MESSAGE"`
	}
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	return entry.Message
}

// numbers are the decimal numbers from a up to but not b.
func numbers(a, b int) (all []string) {
	for i := a; i < b; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

func wantMessages(t testing.TB, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%.2000s", diff)
	}
}

// 100,000 entries are written through systemd-journal-remote, which rotates its
// file, while archived files that were read are deleted and the source is
// stopped ten times; each time it goes on from the last position that was
// committed, and what it had sent since is thrown away.
func TestJournalLosesNothing(t *testing.T) {
	t.Parallel()
	const entries, stops = 100_000, 10
	j := newRemoteJournal(t)
	j.open("external")
	written := make(chan struct{})
	go func() {
		defer close(written)
		junk := make([]string, 12)
		for i := range entries {
			// Values that are all different fill the file's hash table, which has it rotated.
			for k := range junk {
				junk[k] = "X" + strconv.Itoa(k) + "=" + strconv.Itoa(i*len(junk)+k)
			}
			j.entry(bootA, strconv.Itoa(i), junk...)
		}
		j.close()
	}()

	defer func() { <-written }()

	random := rand.New(rand.NewPCG(1, 2))
	seen := make([]int, entries)
	ids := map[relaylens.ID]bool{}
	var committed relaylens.Position
	total, deleted := 0, 0
	for stop := range stops + 1 {
		o := JournalOptions{Directory: j.dir, Start: StartBegin}
		if committed.Source != "" {
			o.Positions = []relaylens.Position{committed}
		}
		r := runJournal(t, o)
		until := (stop + 1) * entries / (stops + 1)
		lost := random.IntN(4) // batches that are sent and never committed
		for total < until || stop < stops && lost > 0 {
			b := r.next()
			if total >= until {
				lost--
				b.Release()
				continue
			}
			for i := range b.Lines {
				n, err := strconv.Atoi(messageOf(t, b.Lines[i].Text))
				if err != nil {
					t.Fatalf("%s: %v", b.Lines[i].Text, err)
				}
				seen[n]++
				ids[relaylens.NewID(&b.Lines[i], 0)] = true
				total++
			}
			committed = b.Position
			b.Release()
		}
		// In the midst of what it may be doing.
		r.stop()
		deleted += j.vacuum(total)
		for _, e := range r.logs.FilterMessageSnippet("no longer in the journal").All() {
			t.Log(e.Message, e.ContextMap())
		}
	}
	<-written
	for n, times := range seen {
		if times != 1 {
			t.Fatalf("entry %d came %d times", n, times)
		}
	}
	if len(ids) != entries {
		t.Errorf("%d ids for %d entries", len(ids), entries)
	}
	if deleted < 5 {
		t.Errorf("only %d files were rotated and deleted: the test shows nothing", deleted)
	}
	t.Logf("%d archived files deleted meanwhile", deleted)
}

// vacuum deletes the archived files whose entries are all before number total.
func (j *remoteJournal) vacuum(total int) (deleted int) {
	paths, err := filepath.Glob(filepath.Join(j.dir, "*@*.journal"))
	if err != nil {
		j.t.Fatal(err)
	}
	for _, path := range paths {
		if n := lastIn(j.t, path); n >= 0 && n < total {
			if err := os.Remove(path); err != nil {
				j.t.Fatal(err)
			}
			deleted++
		}
	}
	return deleted
}

// journalctl --follow alone shows the last boot, and --after-cursor passes over
// an entry when its own is gone.
func TestJournalGoesOnOverABoot(t *testing.T) {
	j := newRemoteJournal(t)
	j.write("a", bootA, 10)
	r := runJournal(t, JournalOptions{Directory: j.dir, Start: StartBegin})
	_, _ = r.take(10)
	r.stop()
	r = runJournal(t, JournalOptions{Directory: j.dir, Start: StartBegin})
	b := r.next()
	p := relaylens.Position{Source: "journal", Cursor: strings.Clone(b.Lines[4].Cursor)}
	r.stop()
	j.write("b", bootB, 5)
	r = runJournal(t, JournalOptions{Directory: j.dir, Positions: []relaylens.Position{{Source: "other"}, p}})
	got, _ := r.take(10)
	wantMessages(t, numbers(5, 15), got)
	j.write("c", bootB, 3) // while it is followed
	got, p = r.take(3)
	wantMessages(t, numbers(15, 18), got)
	r.stop()

	j.remove("[abc].journal")
	j.write("d", bootB, 3)
	r = runJournal(t, JournalOptions{Directory: j.dir, Positions: []relaylens.Position{p}})
	got, _ = r.take(3)
	wantMessages(t, numbers(18, 21), got)
	if r.logs.FilterMessageSnippet("no longer in the journal").Len() != 1 {
		t.Error("the gap is not logged")
	}
}

func TestJournalCursorThatIsNone(t *testing.T) {
	j := newRemoteJournal(t)
	j.write("a", bootA, 10)
	at := func(n int) time.Time { return journalEpoch.Add(time.Duration(n) * time.Millisecond) }
	for name, tt := range map[string]struct {
		position relaylens.Position
		from     int
	}{
		"its own time": {relaylens.Position{Cursor: "s=?;t=" + strconv.FormatInt(at(7).UnixMicro(), 16), Time: at(3)}, 7},
		"saved time":   {relaylens.Position{Cursor: "nonsense", Time: at(4)}, 4},
		"no time":      {relaylens.Position{Cursor: "nonsense"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tt.position.Source = "journal"
			r := runJournal(t, JournalOptions{Directory: j.dir, Positions: []relaylens.Position{tt.position}})
			got, _ := r.take(10 - tt.from)
			wantMessages(t, numbers(tt.from, 10), got)
			if r.logs.FilterMessageSnippet("does not take the saved position").Len() != 1 {
				t.Error("that is not logged")
			}
		})
	}
}

func TestJournalStart(t *testing.T) {
	j := newRemoteJournal(t)
	j.write("a", bootA, 10)
	t.Run("begin", func(t *testing.T) {
		got, _ := runJournal(t, JournalOptions{Directory: j.dir, Start: StartBegin}).take(10)
		wantMessages(t, numbers(0, 10), got)
	})
	t.Run("since", func(t *testing.T) {
		since := journalEpoch.Add(6*time.Millisecond - 500*time.Microsecond)
		got, _ := runJournal(t, JournalOptions{Directory: j.dir, Since: since}).take(4)
		wantMessages(t, numbers(6, 10), got)
	})
	// What is written between two runs is read even if the first had no line.
	for _, name := range []string{"end", "end of an empty journal"} {
		t.Run(name, func(t *testing.T) {
			j := newRemoteJournal(t)
			before := 0
			if name == "end" {
				before = 4
				j.write("a", bootA, before)
			} else {
				j.entryless()
			}
			r := runJournal(t, JournalOptions{Directory: j.dir})
			b := r.next()
			if len(b.Lines) != 0 || b.Position.Source != "journal" || (b.Position.Cursor == "") != (before == 0) {
				t.Errorf("first batch %+v", b)
			}
			r.stop()
			j.write("b", bootA, 3)
			got, _ := runJournal(t, JournalOptions{Directory: j.dir, Positions: []relaylens.Position{b.Position}}).take(3)
			wantMessages(t, numbers(before, before+3), got)
		})
	}
}

// entryless makes a journal of which nothing is selected.
func (j *remoteJournal) entryless() {
	j.t.Helper()
	j.open("other")
	j.close()
}

func TestJournalSelection(t *testing.T) {
	j := newRemoteJournal(t)
	j.open("a")
	for _, unit := range []string{"postfix@-.service", "exim4.service", "cron.service"} {
		for _, id := range []string{"postfix/qmgr", "exim"} {
			j.entry(bootA, unit+" "+id, "_SYSTEMD_UNIT="+unit, "SYSLOG_IDENTIFIER="+id)
		}
	}
	j.close()
	for name, tt := range map[string]struct {
		o    JournalOptions
		want []string
	}{
		"units":       {JournalOptions{Units: []string{"exim4.service", "postfix@-.service"}}, []string{"postfix@-.service postfix/qmgr", "postfix@-.service exim", "exim4.service postfix/qmgr", "exim4.service exim"}},
		"identifiers": {JournalOptions{Identifiers: []string{"exim"}}, []string{"postfix@-.service exim", "exim4.service exim", "cron.service exim"}},
		"both":        {JournalOptions{Units: []string{"exim4.service"}, Identifiers: []string{"exim"}}, []string{"exim4.service exim"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.o.Directory, tt.o.Start, tt.o.Name = j.dir, StartBegin, "journal "+name
			got, p := runJournal(t, tt.o).take(len(tt.want))
			wantMessages(t, tt.want, got)
			if p.Source != tt.o.Name {
				t.Errorf("position of %q", p.Source)
			}
		})
	}
}

func TestJournalLongEntries(t *testing.T) {
	j := newRemoteJournal(t)
	j.open("a")
	j.entry(bootA, "before")
	j.entry(bootA, strings.Repeat("x", relaylens.MaxLine)+"\\u00e9")
	j.entry(bootA, strings.Repeat(`"`, relaylens.MaxLine))
	j.entry(bootA, strings.Repeat("\x80", 10))
	j.entry(bootA, strings.Repeat("\x80", 60_000))
	j.entry(bootA, strings.Repeat("y", 2*maxRecord))
	j.entry(bootA, "after", "SYSLOG_IDENTIFIER="+strings.Repeat("i", 2*maxValue))
	j.close()
	r := runJournal(t, JournalOptions{Directory: j.dir, Start: StartBegin})
	var lines []relaylens.Line
	for len(lines) < 6 {
		b := r.next()
		for _, l := range b.Lines {
			l.Text = strings.Clone(l.Text)
			lines = append(lines, l)
		}
		b.Release()
	}
	for i, want := range []struct {
		size int // of the message
		cut  bool
	}{{6, false}, {relaylens.MaxLine - 1, true}, {relaylens.MaxLine/2 - 1, true}, {10, false}, {maxArray / 4, true}, {5, false}} {
		var entry map[string]any
		if err := json.Unmarshal([]byte(lines[i].Text), &entry); err != nil {
			t.Errorf("line %d: %v", i, err)
			continue
		}
		size := 0
		switch m := entry["MESSAGE"].(type) {
		case string:
			size = len(m)
		case []any:
			size = len(m)
		}
		if lines[i].Cut != want.cut || size > want.size || size < want.size-8 {
			t.Errorf("line %d: %d bytes, cut %v, want about %d, %v", i, size, lines[i].Cut, want.size, want.cut)
		}
	}
	if n := testutil.ToFloat64(r.metrics.source("journal").cut); n != 4 {
		t.Errorf("%v lines cut, want 4", n)
	}
}
