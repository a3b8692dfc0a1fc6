//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// TestRun is `make run` until there was something to see: the address of the
// metrics, events, after ctrl-c a summary, and nothing left behind.
func TestRun(t *testing.T) {
	relaylens, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(t.TempDir(), "sample")
	if err := run("go", "build", "-o", sample, "../internal/sample"); err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	cmd := exec.Command(sample, "-relaylens", relaylens, "-sessions", "../testdata/sample", "-pace", "20ms", "-for", testutil.Patience.String())
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said strings.Builder
	next := func(like string) []string {
		for lines.Scan() {
			fmt.Fprintln(&said, lines.Text())
			if found := regexp.MustCompile(like).FindStringSubmatch(lines.Text()); found != nil {
				return found
			}
		}
		t.Fatalf("%v; the output has nothing like %s:\n%s%s", cmd.Wait(), like, said.String(), complaints.Bytes())
		return nil
	}
	url := next(`^metrics   (http://127\.0\.0\.1:\d+)/metrics$`)[1]
	next(`^.* mx1 .*relay_denied .*client=198\.51\.100\.77 `)
	testutil.WaitFor(t, "a refusal to be counted", func() error {
		if n := total((&daemon{&testutil.Daemon{URL: url}, t}).refusals()); n == 0 {
			return errors.New("there is none")
		}
		return nil
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	next(`^-- \d+s: [1-9]\d* refusals counted: `)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, complaints.Bytes())
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
