package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/internal/doctor"
	"github.com/relaylens/relaylens/internal/doctor/live"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

const doctorLong = `doctor reads the mail server's configuration, as the server's own tools print
it, and says which refusals it invites: rules in the wrong order, logins that
cannot work, no submission port, networks too wide, domains in two classes, an
open relay, sender callouts, dead blocklists. Each complaint has the setting,
the file, the fix and the reference.

What the log shows is held against it: the findings of the store, or of FILEs.
Domains and clients that the log asks for and the configuration lacks are
named, and what both show is confirmed by configuration.

Without flags the server of this machine is read, with postconf -n, -d and -M,
exim -bP, or /etc/mail/sendmail.cf. The flags name what was saved elsewhere.
Nothing is ever written.

The network is asked only when told. --probe plays a stranger who wants to relay
and stops after RCPT; no message is sent. It means something only from a machine
that may not relay. --dnsbl asks blocklists for an address.

EXAMPLES
  relaylens doctor
  relaylens doctor --postconf postconf-n --postconf-master postconf-M mail.log
  relaylens doctor --probe mx1.example.com --dnsbl 203.0.113.5

EXIT STATUS
  0  fine
  1  an error; a FILE could not be read
  2  the command line is wrong
  3  with --exit-code: there is something to complain of`

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	diagnosis
	postconf, defaults, master                  string
	eximConfig, eximOptions                     string
	cf, access, relayDomains, localNames, table string
	asking                                      askOptions
}

func newDoctorCommand() *cobra.Command {
	var o doctorOptions
	c := &cobra.Command{
		Use:   "doctor [flags] [FIELD=VALUE...] [FILE...]",
		Short: "Say what is wrong with the mail server's configuration",
		Long:  doctorLong,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.arguments, err = readArguments(args); err != nil {
				return err
			}
			return o.run(c)
		},
	}
	o.inputFlags.addFlags(c.Flags())
	o.addFlags(c.Flags())
	c.ValidArgsFunction = o.completeMatches
	registerCompletions(c, "text", "json")
	return c
}

func (o *doctorOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.output, "output", "o", "text", "text, or json (one object a line: for each server, and for what was asked)")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 3 if there is something to complain of")
	f.StringVar(&o.postconf, "postconf", "", "take this `FILE` for the output of postconf -n")
	f.StringVar(&o.defaults, "postconf-defaults", "", "take this `FILE` for the output of postconf -d")
	f.StringVar(&o.master, "postconf-master", "", "take this `FILE` for the output of postconf -M")
	f.StringVar(&o.eximConfig, "exim-config", "", "take this `FILE` for the output of exim -bP config, or for the configuration itself")
	f.StringVar(&o.eximOptions, "exim-options", "", "take this `FILE` for the output of exim -bP")
	f.StringVar(&o.cf, "sendmail-cf", "", "take this `FILE` for sendmail.cf")
	f.StringVar(&o.access, "sendmail-access", "", "take this `FILE` for /etc/mail/access")
	f.StringVar(&o.relayDomains, "sendmail-relay-domains", "", "take this `FILE` for /etc/mail/relay-domains")
	f.StringVar(&o.localNames, "sendmail-local-host-names", "", "take this `FILE` for /etc/mail/local-host-names")
	f.StringVar(&o.table, "sendmail-mailertable", "", "take this `FILE` for /etc/mail/mailertable")
	o.asking.addFlags(f)
}

func (o *doctorOptions) run(c *cobra.Command) error {
	if o.output != "text" && o.output != "json" {
		return usagef("--output %q: choose text or json", o.output)
	}
	asking, err := o.asking.check()
	if err != nil {
		return err
	}
	var servers []doctor.Server
	if !asking || o.saved() {
		if servers, err = o.servers(c); err != nil {
			return err
		}
	}
	var findings []relaylens.Finding
	var readErr error
	if len(servers) > 0 {
		if findings, readErr = o.findings(c); findings == nil && readErr != nil {
			return readErr
		}
	}
	s := openScreen(c, o.output == "text")
	complained, err := o.report(s, servers, findings)
	if asking && err == nil {
		var bad bool
		bad, err = o.asking.report(c.Context(), s, o.output)
		complained = complained || bad
	}
	if err = errors.Join(err, s.Close(), readErr); err == nil && complained && o.exitCode {
		return errFound
	}
	return err
}

// report writes what is wrong, and reports whether anything is.
func (o *doctorOptions) report(w io.Writer, servers []doctor.Server, findings []relaylens.Finding) (complained bool, err error) {
	for i, server := range servers {
		r := doctor.Examine(server, findings)
		complained = complained || len(r.Complaints) > 0
		var text []byte
		if o.output == "json" {
			if text, err = json.Marshal(r); err != nil {
				return complained, fmt.Errorf("write report: %w", err)
			}
			text = append(text, '\n')
		} else {
			if i > 0 {
				text = append(text, '\n')
			}
			text = r.AppendText(text, o.location())
		}
		if _, err = w.Write(text); err != nil {
			return complained, fmt.Errorf("write report: %w", err)
		}
	}
	return complained, nil
}

// findings are those of FILEs, or of the store if there is one.
func (o *doctorOptions) findings(c *cobra.Command) (findings []relaylens.Finding, err error) {
	if o.span, err = o.inputFlags.span(time.Now()); err != nil {
		return nil, err
	}
	q := ask.Findings{Span: o.span, Match: o.match}
	var found []*summary.Diagnosis
	if len(o.files) == 0 {
		err = o.readStore(c, func(s *store.Store) (err error) { found, err = q.Store(c.Context(), s); return err })
		if err != nil && o.config == "" && o.dataDir == "" {
			err = nil // a machine whose logs nobody follows has its configuration still
		}
	} else {
		err = o.readFiles(c, o.files, func(f *ask.Files) (err error) { found, err = q.Files(c.Context(), f); return err })
	}
	if found == nil && err != nil {
		return nil, err
	}
	findings = make([]relaylens.Finding, len(found))
	for i, d := range found {
		findings[i] = d.Finding
	}
	return findings, err
}

func (o *doctorOptions) saved() bool { return o.postconf != "" || o.eximConfig != "" || o.cf != "" }

// servers reads the configurations that the flags name, or those of this machine.
func (o *doctorOptions) servers(c *cobra.Command) ([]doctor.Server, error) {
	if o.saved() {
		return o.savedServers()
	}
	for flag, value := range map[string]string{"--postconf-defaults": o.defaults, "--postconf-master": o.master, "--exim-options": o.eximOptions, "--sendmail-access": o.access,
		"--sendmail-relay-domains": o.relayDomains, "--sendmail-local-host-names": o.localNames, "--sendmail-mailertable": o.table} {
		if value != "" {
			return nil, usagef("%s goes with --postconf, --exim-config or --sendmail-cf", flag)
		}
	}
	machine := live.New(c.Context())
	found := machine.Find()
	if o.mta != "auto" {
		mta, err := relaylens.ParseMTA(o.mta)
		if err != nil {
			return nil, usagef("--mta %q: choose auto, postfix, exim or sendmail", o.mta)
		}
		found = []relaylens.MTA{mta}
	}
	if len(found) == 0 {
		return nil, errors.New("find mail server: neither Postfix, Exim nor Sendmail is configured on this machine; name saved output with --postconf, --exim-config or --sendmail-cf")
	}
	var servers []doctor.Server
	for _, mta := range found {
		server, err := machine.Read(mta)
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	return servers, nil
}

func (o *doctorOptions) savedServers() ([]doctor.Server, error) {
	texts := map[string]string{}
	for _, file := range []string{o.postconf, o.defaults, o.master, o.eximConfig, o.eximOptions, o.cf, o.access, o.relayDomains, o.localNames, o.table} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read saved configuration: %w", err)
		}
		texts[file] = string(text)
	}
	var servers []doctor.Server
	add := func(server doctor.Server, err error) error {
		servers = append(servers, server)
		return err
	}
	var errs []error
	if o.postconf != "" {
		errs = append(errs, add(doctor.ReadPostfix(texts[o.postconf], texts[o.defaults], texts[o.master], doctor.Elsewhere{})))
	}
	if o.eximConfig != "" {
		errs = append(errs, add(doctor.ReadExim(texts[o.eximConfig], texts[o.eximOptions], o.eximConfig, doctor.Elsewhere{})))
	}
	if o.cf != "" {
		given := map[string]string{}
		for name, file := range map[string]string{"access": o.access, "relay-domains": o.relayDomains, "local-host-names": o.localNames, "mailertable": o.table} {
			if file != "" {
				given[name] = texts[file]
			}
		}
		errs = append(errs, add(doctor.ReadSendmail(texts[o.cf], "/etc/mail/sendmail.cf", given, doctor.Elsewhere{})))
	}
	return servers, errors.Join(errs...)
}
