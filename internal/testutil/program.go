package testutil

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Program is the path of the relaylens under test: what E2E_RELAYLENS names, as
// make does, or one that is built once per run.
func Program() (string, error) { return program() }

var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("E2E_RELAYLENS"); path != "" {
		return path, nil
	}
	path := filepath.Join(os.TempDir(), "relaylens-e2e")
	out, err := exec.Command("go", "build", "-o", path, "github.com/relaylens/relaylens/cmd/relaylens").CombinedOutput() //nolint:gosec // the path is its own
	if err != nil {
		return "", fmt.Errorf("build relaylens: %w\n%s", err, out)
	}
	return path, nil
})
