package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIRECTORY",
		Short: "Write the manual pages into a directory",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name the DIRECTORY to write to")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			header := &doc.GenManHeader{Section: "1", Source: "relaylens", Manual: "relaylens manual"}
			for _, page := range append(c.Root().Commands(), c.Root()) {
				page.Long = markdown(page.Long)
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for everybody
				return fmt.Errorf("make directory for manual pages: %w", err)
			}
			if err := doc.GenManTree(c.Root(), header, args[0]); err != nil {
				return fmt.Errorf("write manual pages to %s: %w", args[0], err)
			}
			return nil
		},
	}
}

// heading is a line of a command's help that begins a section.
var heading = regexp.MustCompile(`^[A-Z][A-Z ]+$`)

// markdown is a command's help as the manual is made from: its headings begin
// sections, and what is indented keeps its lines.
func markdown(help string) string {
	var b strings.Builder
	verbatim := false
	for line := range strings.Lines(help) {
		switch indented := strings.HasPrefix(line, "  "); {
		case heading.MatchString(strings.TrimSuffix(line, "\n")):
			line = "# " + line
			verbatim = false
		case indented && !verbatim:
			b.WriteByte('\n')
			fallthrough
		case indented:
			line = "  " + line
			verbatim = true
		default:
			verbatim = false
		}
		b.WriteString(line)
	}
	return b.String()
}
