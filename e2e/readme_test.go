//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestReadme runs the commands whose output README.md shows, and looks for what
// it shows in the order it shows it; an ellipsis stands for anything.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```console\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("README.md shows no transcript")
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		command, shown, _ := strings.Cut(block, "\n")
		t.Run(command, func(t *testing.T) {
			args := strings.Fields(strings.TrimPrefix(command, "$ relaylens "))
			cmd := relaylens(t, args...)
			cmd.Dir = ".."
			cmd.Env = append(os.Environ(), "TZ=UTC")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			rest := string(out)
			for line := range strings.Lines(shown) {
				if strings.TrimSpace(line) == "…" {
					continue
				}
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Fatalf("the output has no %q (after what stands before it):\n%s", line, out)
				}
				rest = after
			}
		})
	}
}
