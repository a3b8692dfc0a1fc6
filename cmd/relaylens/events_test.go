package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/store"
)

// scriptCommands are what scripts can do besides the commands of testscript.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"fillstore":  fillStoreCommand,
	"newerstore": newerStoreCommand,
	"status":     statusCommand,
}

// fillstore DIRECTORY FILE... stores the refusals of FILEs.
func fillStoreCommand(ts *testscript.TestScript, _ bool, args []string) {
	s, err := store.Open(context.Background(), ts.MkAbs(args[0]))
	ts.Check(err)
	defer s.Close()
	var files []string
	for _, f := range args[1:] {
		files = append(files, ts.MkAbs(f))
	}
	b := &store.Batch{}
	causes := classifier.New()
	l := ask.Files{Names: files}
	ts.Check(l.Read(context.Background(), func(e *relaylens.Event) {
		causes.Classify(e)
		if e.Refusal() {
			b.Events = append(b.Events, e.Clone())
		}
	}))
	_, err = s.Commit(context.Background(), b)
	ts.Check(err)
}

// newerstore DIRECTORY makes a store that this program is too old for.
func newerStoreCommand(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	s, err := store.Open(context.Background(), dir)
	ts.Check(err)
	ts.Check(s.Close())
	conn, err := sqlite.OpenConn(filepath.Join(dir, store.FileName), sqlite.OpenReadWrite)
	ts.Check(err)
	defer conn.Close()
	ts.Check(sqlitex.ExecuteTransient(conn, "PRAGMA user_version = 1000", nil))
}

// status CODE PROGRAM ARGUMENT... runs a program that ends with CODE.
func statusCommand(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("status %d, want %s", code, args[0])
	}
}

func TestJoinLines(t *testing.T) {
	for line, want := range map[string]string{
		"events -n 5":                "events -n=5",
		"events -n5":                 "events -n=5",
		"events -n":                  "events -n",
		"events -n kind=x":           "events -n kind=x",
		"events -n all x":            "events -n=all x",
		"events -rn 5 7":             "events -rn=5 7",
		"events -rqn5":               "events -rqn=5",
		"events -nr":                 "events -n=r",
		"events -n=5":                "events -n=5",
		"events --lines 5":           "events --lines=5",
		"events --lines":             "events --lines",
		"events --lines=5 5":         "events --lines=5 5",
		"events --lines -r":          "events --lines -r",
		"events -g -n 5":             "events -g -n 5",
		"events -gn 5":               "events -gn 5",
		"events -rg n 5":             "events -rg n 5",
		"events --grep -n 5":         "events --grep -n 5",
		"events --grep=x -n 5":       "events --grep=x -n=5",
		"events -- -n 5":             "events -- -n 5",
		"events - -n 5":              "events - -n=5",
		"events -n -5":               "events -n -5",
		"parse -n 5":                 "parse -n 5",
		"events -S -2h -n 5 --utc x": "events -S -2h -n=5 --utc x",
	} {
		t.Run(line, func(t *testing.T) {
			if got := strings.Join(joinLines(newRootCommand(), strings.Fields(line)), " "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// What is committed while the command runs is listed, once and without delay.
func TestEventsFollow(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	events := thirty(time.Now().Add(-time.Hour))
	put := func(events ...relaylens.Event) {
		t.Helper()
		if _, err := s.Commit(t.Context(), &store.Batch{Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	put(events[:15]...)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	root := newRootCommand()
	root.SetArgs([]string{"events", "--data-dir", dir, "-f", "-n=2", "-o", "json", "kind=rejected"})
	root.SetOut(w)
	root.SetErr(os.Stderr)
	done := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		w.Close()
		done <- err
	}()
	read := func(n int) (got []string) {
		t.Helper()
		for range n {
			got = append(got, numbers(t, readLine(t, r), "pid")...)
		}
		return got
	}
	if diff := cmp.Diff([]string{"10", "14"}, read(2)); diff != "" {
		t.Errorf("at first: %s", diff)
	}
	put(events[20:24]...)
	if diff := cmp.Diff([]string{"22"}, read(1)); diff != "" {
		t.Errorf("then: %s", diff)
	}
	put(events[15:20]...) // late ones, too
	put(events[:24]...)   // and none twice
	put(events[24:]...)
	if diff := cmp.Diff([]string{"18", "26", "30"}, read(3)); diff != "" {
		t.Errorf("at last: %s", diff)
	}
	cancel()
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("%q more was listed, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func readLine(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var line []byte
	var b [1]byte
	for {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			t.Fatal(err)
		}
		line = append(line, b[0])
		if b[0] == '\n' {
			return line
		}
	}
}

// Following an empty store begins with what comes first.
func TestEventsFollowFromNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	root := newRootCommand()
	root.SetArgs([]string{"events", "--data-dir", dir, "-f", "-o", "json"})
	root.SetOut(w)
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	e := thirty(time.Now())[3]
	if _, err := s.Commit(t.Context(), &store.Batch{Events: []relaylens.Event{e}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"4"}, numbers(t, readLine(t, r), "pid")); diff != "" {
		t.Error(diff)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
