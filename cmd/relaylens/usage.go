package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens"
)

// knownCommand refuses what is no command.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if s := relaylens.Suggest(args[0], names); s != "" {
		return usagef("unknown command %q; did you mean %s?", args[0], s)
	}
	return usagef("unknown command %q", args[0])
}

// noArgs refuses arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, and there is %q", c.Name(), args[0])
	}
	return nil
}

// someFiles wants at least one argument.
func someFiles(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("name a FILE, or - for standard input")
	}
	return nil
}

// wrongFlag says what was meant by a flag that there is not, or what to write as
// the value of one.
func wrongFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if s := relaylens.Suggest(unknown.GetSpecifiedName(), names); s != "" {
			return usagef("unknown flag --%s; did you mean --%s?", unknown.GetSpecifiedName(), s)
		}
	}
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		forms := map[string]string{"int": "a whole number", "bool": "true or false", "duration": "a duration, such as 30s"}
		if f := wrong.GetFlag(); forms[f.Value.Type()] != "" {
			return usagef("--%s %q: write %s", f.Name, wrong.GetValue(), forms[f.Value.Type()])
		}
	}
	return usageError{err}
}
