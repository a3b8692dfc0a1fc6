//go:build ignore

// gen writes docs/causes.md.
package main

import (
	"fmt"
	"os"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

func main() {
	if err := os.WriteFile("../../docs/causes.md", []byte(knowledge.Page()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
