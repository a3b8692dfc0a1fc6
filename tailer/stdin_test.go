package tailer

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestStdin(t *testing.T) {
	content := strings.Repeat("Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect\n", 20000) + strings.Repeat("x", 200<<10) + "\nend"
	out := make(chan relaylens.Batch, 8)
	done := make(chan error, 1)
	go func() {
		done <- NewStdin("-", strings.NewReader(content)).Run(t.Context(), out)
		close(out)
	}()
	var got []relaylens.Line
	for b := range out {
		if since := time.Since(b.Reference); since < 0 || since > time.Hour {
			t.Errorf("reference %v is not the clock", b.Reference)
		}
		for _, l := range b.Lines {
			l.Text = strings.Clone(l.Text)
			got = append(got, l)
		}
		b.Release()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if diff := diffLines(wantLines("-", content), got); diff != "" {
		t.Errorf("-want +got\n%.2000s", diff)
	}
}

// A pipe outlives its writers, and Run its context by nothing.
func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenPipe(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan relaylens.Batch), make(chan error)
	go func() { done <- NewStdin(path, f).Run(ctx, out) }()
	for _, text := range []string{"from one writer", "from another"} {
		appendTo(t, path, text+"\n")
		select {
		case b := <-out:
			if diff := cmp.Diff([]string{text}, texts(b.Lines)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			b.Release()
		case <-time.After(patience):
			t.Fatal("nothing comes out of the pipe")
		}
	}
	cancel()
	ended(t, done)
}

func TestStdinGivesUpABlockedRead(t *testing.T) {
	pr, pw := io.Pipe()
	defer pw.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- NewStdin("-", pr).Run(ctx, nil) }()
	cancel()
	ended(t, done)
}

func TestOpenPipeErrors(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "plain"), "")
	for _, name := range []string{"missing", "plain", "."} {
		t.Run(name, func(t *testing.T) {
			f, err := OpenPipe(filepath.Join(dir, name))
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			if e := new(Error); !errors.As(err, &e) || e.Remedy == "" {
				t.Errorf("error %v has no remedy", err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "missing")); err == nil {
		t.Error("the pipe was made")
	}
}
