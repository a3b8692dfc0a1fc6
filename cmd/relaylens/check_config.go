package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/app"
)

const checkConfigLong = `Reads the configuration as serve would, from the file, the environment and the
flags, and tells every mistake in it. Warnings are about what the daemon starts
with all the same, such as a log that does not exist yet.

With -o yaml it prints all values that would be used and where each was set;
the output is itself a configuration file.

EXIT STATUS
  0  the configuration is right
  1  it is wrong
  2  the command line is wrong`

type checkConfigOptions struct {
	Output  string
	Example bool
}

func (o *checkConfigOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringVarP(&o.Output, "output", "o", "text", "how to print what would be used, the `FORMAT`: text, yaml")
	fs.BoolVar(&o.Example, "print-example", false, "print a file with every key, commented out, and check nothing")
}

func newCheckConfigCommand() *cobra.Command {
	var opts checkConfigOptions
	c := &cobra.Command{
		Use:   "check-config [flags] [FILE...]",
		Short: "Check the configuration and show what would be used",
		Long:  checkConfigLong,
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return runCheckConfig(c, opts, args)
		},
	}
	config.Flags(c.Flags())
	opts.AddFlags(c.Flags())
	registerCompletions(c, "text", "yaml")
	return c
}

func runCheckConfig(c *cobra.Command, opts checkConfigOptions, files []string) error {
	switch {
	case opts.Output != "text" && opts.Output != "yaml":
		return usagef("unknown output %q; use text or yaml", opts.Output)
	case opts.Example:
		return config.WriteExample(c.OutOrStdout())
	}
	cfg, origins, err := config.LoadOrigins(config.LoadOptions{Flags: c.Flags(), Files: files})
	if err != nil {
		return wrongConfig(err)
	}
	warnings, err := cfg.Check()
	for _, w := range warnings {
		fmt.Fprintln(c.ErrOrStderr(), "warning:", w)
	}
	if err == nil {
		err = app.CheckWeb(cfg)
	}
	if err != nil {
		return wrongConfig(err)
	}
	if opts.Output == "yaml" {
		return cfg.WriteYAML(c.OutOrStdout(), origins)
	}
	return printConfig(c.OutOrStdout(), cfg, origins)
}

// wrongConfig counts the mistakes and lists each on a line of its own.
func wrongConfig(err error) error {
	mistakes := config.Errors(err)
	if len(mistakes) < 2 {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d mistakes", len(mistakes))
	for _, m := range mistakes {
		b.WriteString("\n  " + m.Error())
	}
	if onCommandLine(err) {
		return usagef("%s", b.String())
	}
	return errors.New(b.String())
}

// printConfig says in a few lines what the daemon would do.
func printConfig(w io.Writer, cfg *config.Config, origins *config.Origins) error {
	var b strings.Builder
	file := origins.File
	if file == "" {
		file = "no configuration file"
	}
	fmt.Fprintf(&b, "%s: right\n", file)
	fmt.Fprintf(&b, "  serves %s (%s)\n", cfg.Listen, origins.Of("listen"))
	fmt.Fprintf(&b, "  keeps its data in %s (%s)\n", cfg.DataDir, origins.Of("data_dir"))
	found := origins.Of("sources")
	if len(cfg.Sources) == 0 {
		found = "found"
	}
	for _, s := range cfg.FindSources("/") {
		fmt.Fprintf(&b, "  follows %s, mta %s (%s)\n", s.Name(), s.MTA, found)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return nil
}
