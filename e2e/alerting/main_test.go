//go:build e2e

package alerting

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/relaylens/relaylens/internal/stack"
	"github.com/relaylens/relaylens/internal/testutil"
)

// newStack prepares a stack that ends with the test.
func newStack(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	if missing := stack.Missing(); len(missing) > 0 {
		t.Skip("not installed: ", missing)
	}
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	o.Program, o.Dir = path, t.TempDir()
	s, err := stack.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("relaylens:\n%s\nAlertmanager:\n%.20000s\nPrometheus:\n%s", s.Relaylens.Said(), s.Alertmanager.Said(), s.Prometheus.Said())
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var errNotYet = errors.New("not yet")

// appendTo writes lines as a mail server does, at once.
func appendTo(t *testing.T, path string, b *bytes.Buffer) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.Write(b.Bytes())
	must(t, err)
	must(t, f.Close())
	b.Reset()
}
