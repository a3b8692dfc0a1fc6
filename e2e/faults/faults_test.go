//go:build e2e

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// TestRounds plays -rounds rounds from -seed on, -jobs at a time.
func TestRounds(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is missing: no system call can be made to fail")
	}
	if _, err := testutil.Program(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "relaylens-faults-") //nolint:usetesting // what a failed round leaves is for a person
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	began, failed, refusals := time.Now(), 0, 0
	seeds := make(chan uint64)
	var all sync.WaitGroup
	for range max(1, *parallelFlag) {
		all.Go(func() {
			for seed := range seeds {
				r := newRound(seed, filepath.Join(dir, fmt.Sprint(seed)))
				problems := r.play()
				mu.Lock()
				refusals += len(r.refusals)
				if len(problems) > 0 {
					failed++
					t.Errorf("seed %d, see %s, again by -seed %d -rounds 1:\n%s", seed, r.dir, seed, strings.Join(problems, "\n"))
				} else if !*keepFlag {
					os.RemoveAll(r.dir)
				}
				mu.Unlock()
			}
		})
	}
	for i := range *roundsFlag {
		seeds <- *seedFlag + uint64(i)
	}
	close(seeds)
	all.Wait()
	t.Logf("%d rounds with %d refusals in %v, %d failed", *roundsFlag, refusals, time.Since(began).Round(time.Second), failed)
	os.Remove(dir) // unless something was kept
}
