package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// joinLines writes the value of --lines so that pflag understands it. Like
// journalctl's, the flag may stand without a value, and a number or "all" that
// follows it is its value all the same; pflag wants an equals sign there.
func joinLines(root *cobra.Command, args []string) []string {
	c, _, err := root.Find(args)
	if err != nil || c.Flags().Lookup("lines") == nil {
		return args
	}
	fs := c.Flags()
	joined := slices.Clone(args)
	for i := 0; i < len(joined) && joined[i] != "--"; i++ {
		next := ""
		if i+1 < len(joined) {
			next = joined[i+1]
		}
		arg, takes := joinFlag(fs, joined[i], next)
		joined[i] = arg
		switch {
		case takes == takesJoined:
			joined = slices.Delete(joined, i+1, i+2)
		case takes == takesNext:
			i++
		}
	}
	return joined
}

type takes uint8

const (
	takesNothing takes = iota // of the argument behind it
	takesNext                 // that is its value
	takesJoined               // that was its value and is now in it
)

func joinFlag(fs *pflag.FlagSet, arg, next string) (string, takes) {
	switch {
	case arg == "--lines" && isLines(next):
		return "--lines=" + next, takesJoined
	case strings.HasPrefix(arg, "--"):
		name, _, hasValue := strings.Cut(arg[2:], "=")
		if f := fs.Lookup(name); f != nil && f.NoOptDefVal == "" && !hasValue {
			return arg, takesNext
		}
		return arg, takesNothing
	case len(arg) < 2 || arg[0] != '-':
		return arg, takesNothing
	}
	for i := 1; i < len(arg); i++ {
		f := fs.ShorthandLookup(arg[i : i+1])
		rest := arg[i+1:]
		switch {
		case f == nil || strings.HasPrefix(rest, "="):
			return arg, takesNothing
		case f.Name == "lines" && rest != "":
			return arg[:i+1] + "=" + rest, takesNothing
		case f.Name == "lines" && isLines(next):
			return arg + "=" + next, takesJoined
		case f.NoOptDefVal == "" && rest == "":
			return arg, takesNext
		case f.NoOptDefVal == "":
			return arg, takesNothing
		}
	}
	return arg, takesNothing
}

func isLines(s string) bool {
	n, err := strconv.Atoi(s)
	return s == "all" || err == nil && n >= 0
}
