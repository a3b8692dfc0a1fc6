//go:build e2e

package alerting

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/stack"
)

// program is the program under test; built by make, or once per run.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("E2E_RELAYLENS"); path != "" {
		return path, nil
	}
	path := filepath.Join(os.TempDir(), "relaylens-e2e-alerting")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/relaylens").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, err
})

// newStack prepares a stack that ends with the test.
func newStack(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	if missing := stack.Missing(); len(missing) > 0 {
		t.Skip("not installed: ", missing)
	}
	path, err := program()
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

// waitFor polls what other programs do, of which nobody tells.
func waitFor(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s: %v", what, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

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
