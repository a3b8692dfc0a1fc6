// Command relaylens reads mail logs and tells which mail was refused, and why.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
)

// Exit codes, as the man pages list them.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitFindings = 3
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main without the process: what testscript calls.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := newRootCommand()
	root.SetArgs(joinLines(root, args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	return exitCode(c, err, stderr)
}

// usageError is a mistake in the command line rather than in what it asks for.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitCode prints err of a command, once, and says how the process ends. Whoever
// closed our standard output has read enough: that is no error.
func exitCode(c *cobra.Command, err error, stderr io.Writer) int {
	var usage usageError
	switch {
	case err == nil || errors.Is(err, syscall.EPIPE):
		return exitOK
	case errors.Is(err, errFound):
		return exitFindings
	case errors.As(err, &usage) || onCommandLine(err):
		fmt.Fprintf(stderr, "%sTry '%s --help'.\n", errorLines(err), c.CommandPath())
		return exitUsage
	default:
		fmt.Fprint(stderr, errorLines(err))
		return exitError
	}
}

// onCommandLine reports whether all that is wrong with a configuration is on the
// command line.
func onCommandLine(err error) bool {
	mistakes := config.Errors(err)
	return len(mistakes) > 0 && !slices.ContainsFunc(mistakes, func(m *config.Error) bool {
		return m.Where != "command line" && !strings.HasPrefix(m.Where, "--")
	})
}

// errorLines are the errors that err joins, each on a line. What goes on behind
// one is indented. Names of files may be anybody's.
func errorLines(err error) string {
	var b strings.Builder
	for line := range strings.Lines(err.Error() + "\n") {
		if line[0] != ' ' {
			b.WriteString("relaylens: ")
		}
		for i, part := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(relaylens.Escaped(part, 0))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
