package tailer

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/relaylens/relaylens"
)

func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	metrics := NewMetrics(nil)
	s := NewPipe(PipeOptions{Path: path, Metrics: metrics})
	if e := new(Error); !errors.As(s.Run(t.Context(), nil), &e) || e.Remedy == "" {
		t.Error("a missing pipe has no remedy")
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(chan relaylens.Batch), make(chan error)
	go func() { done <- s.Run(ctx, out) }()
	eventually(t, func() bool { return testutil.ToFloat64(metrics.source(path).up) == 1 })
	for _, text := range []string{"from one writer", "from another"} {
		appendTo(t, path, text+"\n")
		b := <-out
		if diff := cmp.Diff([]string{text}, texts(b.Lines)); diff != "" || b.Position.Source != "" {
			t.Errorf("position %+v, -want +got\n%s", b.Position, diff)
		}
		b.Release()
	}
	cancel()
	ended(t, done)
	if testutil.ToFloat64(metrics.source(path).up) != 0 {
		t.Error("the pipe is up")
	}
}
