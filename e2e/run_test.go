//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestRun is `make run` for a few seconds: the address of the metrics, events, a
// summary, and nothing left behind.
func TestRun(t *testing.T) {
	relaylens, err := program()
	if err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(t.TempDir(), "sample")
	if err := run("go", "build", "-o", sample, "../internal/sample"); err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	cmd := exec.Command(sample, "-relaylens", relaylens, "-sessions", "../testdata/sample", "-pace", "20ms", "-for", "4s")
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, wants := range []string{
		`(?m)^metrics   http://127\.0\.0\.1:\d+/metrics$`,
		`(?m)^.* mx1 .*relay_denied .*client=198\.51\.100\.77 `,
		`(?m)^-- 4s: [1-9]\d* refusals counted: `,
	} {
		if !regexp.MustCompile(wants).Match(out) {
			t.Errorf("the output has nothing like %s:\n%s", wants, out)
		}
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
