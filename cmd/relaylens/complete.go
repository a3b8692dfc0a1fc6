package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/summary"
)

// maxCompleted is how many values a shell is offered.
const maxCompleted = 40

// completeMatches offers the names of fields, and behind = the values of the
// field: those of a closed list, or what the store saw most of late. FILEs are
// the shell's to complete.
func (o *inputFlags) completeMatches(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	field, value, hasValue := strings.Cut(typed, "=")
	if !hasValue {
		var names []string
		for _, name := range relaylens.MatchFields() {
			if strings.HasPrefix(name, typed) {
				names = append(names, name+"=")
			}
		}
		return names, cobra.ShellCompDirectiveNoSpace
	}
	if !relaylens.IsMatchField(field) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var offered []string
	for _, v := range o.completeValues(c, field, value) {
		if strings.HasPrefix(v, value) {
			offered = append(offered, field+"="+v)
		}
	}
	return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (o *inputFlags) completeValues(c *cobra.Command, field, value string) []string {
	closed := relaylens.FieldValues(field)
	if field == "code" {
		closed = []string{"4xx", "5xx"}
	}
	s, err := o.openStore(c)
	if err != nil {
		return closed // a shell has no place for errors
	}
	defer s.Close()
	values, err := s.Frequent(c.Context(), field, value, maxCompleted)
	if err != nil {
		return closed
	}
	for _, v := range closed {
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	// What a stranger chose must not become a command or a line of its own.
	return slices.DeleteFunc(values, func(v string) bool {
		return strings.ContainsFunc(v, func(r rune) bool { return !strings.ContainsRune(harmless, r) && r < 0x80 }) || relaylens.Escaped(v, 0) != v
	})
}

// harmless are the characters that mean nothing to any shell.
const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@:/,%"

// completeField offers the names of fields.
func completeField(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(relaylens.MatchFields(), func(name string) bool { return !strings.HasPrefix(name, typed) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeWords offers a closed list.
func completeWords(words ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// times are what --since and --until are often given.
var times = []string{"now", "today", "yesterday", "tomorrow", "-1h", "-1d", "-1w"}

// completeFields offers the names of fields after the commas of a list of them.
func completeFields(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before, last := "", typed
	if i := strings.LastIndexByte(typed, ','); i >= 0 {
		before, last = typed[:i+1], typed[i+1:]
	}
	var lists []string
	for _, name := range summary.GroupFields() {
		if strings.HasPrefix(name, last) && !slices.Contains(strings.Split(before, ","), name) {
			lists = append(lists, before+name)
		}
	}
	return lists, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeDirectories offers directories.
func completeDirectories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeConfigs offers configuration files.
func completeConfigs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// registerCompletions tells the shell about the values of flags; what the
// command does not have is left out. Outputs are those of the command.
func registerCompletions(c *cobra.Command, outputs ...string) {
	for name, f := range map[string]cobra.CompletionFunc{
		"field": completeField, "output": completeWords(outputs...), "mta": completeWords("auto", "postfix", "exim", "sendmail"),
		"since": completeWords(times...), "until": completeWords(times...), "lines": completeWords("10", "50", "all"),
		"by": completeFields, "top": completeWords("10", "20", "-1"), "data-dir": completeDirectories, config.FileFlag: completeConfigs,
		"cursor": completeWords(), "after-cursor": completeWords(), "grep": completeWords(),
		"log-level": completeWords("debug", "info", "warn", "error"), "log-format": completeWords("auto", "console", "json"),
		"timezone": completeWords("local", "UTC"), "web.config.file": completeConfigs,
	} {
		if c.Flags().Lookup(name) != nil {
			// It fails for a flag that is not there or has a function, which is not the case.
			_ = c.RegisterFlagCompletionFunc(name, f)
		}
	}
}
