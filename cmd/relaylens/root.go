package main

import (
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `relaylens follows the logs of Postfix, Exim and Sendmail, understands every line
that says mail was refused, finds out why, and counts by client, user, domain.

EXAMPLES
  relaylens diagnose /var/log/mail.log     what is wrong, and what to do
  relaylens summary /var/log/mail.log      how much, since when, by whom
  relaylens explain 554 5.7.1 Relay access denied
  relaylens serve                          the daemon; what follows asks it
  relaylens events -f                      each refusal as it happens

EXIT STATUS
  0  fine
  1  an error
  2  the command line is wrong
  3  with --exit-code: there was something to report`

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:               "relaylens",
		Short:             "Tells which mail was refused, and why",
		Long:              rootLong,
		Version:           versionText(),
		Args:              knownCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped 80 "))
	root.AddCommand(
		newParseCommand(),
		newServeCommand(),
		newEventsCommand(),
		newSummaryCommand(),
		newDiagnoseCommand(),
		newDoctorCommand(),
		newBacktestCommand(),
		newExplainCommand(),
		newCheckConfigCommand(),
		newVersionCommand(),
		newManCommand(),
	)
	limitCompletion(root)
	limitHelp(root)
	return root
}

// limitHelp has what is no command be a mistake of whoever asks for help with it.
func limitHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Args = func(c *cobra.Command, args []string) error {
				if found, rest, _ := c.Root().Find(args); found == c.Root() {
					return knownCommand(found, rest)
				}
				return nil
			}
		}
	}
}

// limitCompletion has a shell that there is no completion for be a mistake.
func limitCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = cobra.ArbitraryArgs
			c.RunE = func(c *cobra.Command, args []string) error {
				if len(args) > 0 {
					return usagef("no completion for %q; choose bash, zsh, fish or powershell", args[0])
				}
				return c.Help()
			}
		}
	}
}
