package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
	"github.com/relaylens/relaylens/internal/doctor/probe"
)

// askOptions say what the network is asked.
type askOptions struct {
	probe      string
	submission string
	source     string
	helo       string
	from, to   string
	dnsbl      string
	zones      []string
	resolver   string
	timeout    time.Duration

	server  probe.Server
	address netip.Addr
}

func (o *askOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.probe, "probe", "", "ask `HOST[:PORT]` whether it relays for a stranger, and whether users can log in")
	f.StringVar(&o.submission, "probe-submission-port", "587", "the port that users log in on; empty asks none")
	f.StringVar(&o.source, "probe-source", "", "ask from this `IP` address of this machine, which may not relay")
	f.StringVar(&o.helo, "probe-helo", "relaylens.invalid", "the name to say EHLO with")
	f.StringVar(&o.from, "probe-from", "probe@example.org", "the stranger's sender address")
	f.StringVar(&o.to, "probe-to", "probe@example.net", "the recipient to relay to, which is not the server's; nothing is sent there")
	f.StringVar(&o.dnsbl, "dnsbl", "", "ask blocklists for this `IP` address")
	f.StringSliceVar(&o.zones, "dnsbl-zone", nil, "ask this `ZONE` in place of the well-known blocklists (repeatable)")
	f.StringVar(&o.resolver, "resolver", "", "ask blocklists through this resolver, `HOST[:PORT]`")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long a server or blocklist may take to answer")
}

// envelopeText is an address or name that can stand in an SMTP command.
var envelopeText = regexp.MustCompile(`^[A-Za-z0-9.@_=+\[\]:-]*$`)

// check reads the flags, and reports whether the network is to be asked.
func (o *askOptions) check() (asking bool, err error) {
	if o.timeout <= 0 {
		return false, usagef("--timeout %s: give a time above zero", o.timeout)
	}
	for flag, text := range map[string]string{"--probe-helo": o.helo, "--probe-from": o.from, "--probe-to": o.to} {
		if !envelopeText.MatchString(text) {
			return false, usagef("%s %q has characters that no such name needs", flag, text)
		}
	}
	if o.probe != "" {
		o.server = probe.Server{SubmissionPort: o.submission, Helo: o.helo, From: o.from, To: o.to, Timeout: o.timeout}
		if o.server.Host, o.server.Port, err = hostPort(o.probe, "25"); err != nil {
			return false, usagef("--probe: %w", err)
		}
		if o.source != "" {
			if o.server.Source, err = netip.ParseAddr(o.source); err != nil {
				return false, usagef("--probe-source %q: give an IP address", o.source)
			}
		}
	}
	if o.dnsbl != "" {
		if o.address, err = netip.ParseAddr(o.dnsbl); err != nil {
			return false, usagef("--dnsbl %q: give an IP address", o.dnsbl)
		}
	}
	if o.resolver != "" {
		host, port, err := hostPort(o.resolver, "53")
		if err != nil {
			return false, usagef("--resolver: %w", err)
		}
		o.resolver = net.JoinHostPort(host, port)
	}
	if (len(o.zones) > 0 || o.resolver != "") && o.dnsbl == "" {
		return false, usagef("--dnsbl-zone and --resolver go with --dnsbl")
	}
	return o.probe != "" || o.dnsbl != "", nil
}

func hostPort(s, port string) (host, p string, err error) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.String(), port, nil
	}
	if !strings.Contains(s, ":") {
		return s, port, nil
	}
	if host, port, err = net.SplitHostPort(s); err != nil {
		return "", "", fmt.Errorf("%q is no HOST or HOST:PORT", s)
	}
	return host, port, nil
}

// asked is what the network answered.
type asked struct {
	Probe    []probe.Result  `json:"probe,omitempty"`
	Address  string          `json:"address,omitempty"`
	Listings []probe.Listing `json:"listings,omitempty"`
}

// report asks, writes the answers, and reports whether something is wrong.
func (o *askOptions) report(ctx context.Context, w io.Writer, output string) (bad bool, err error) {
	var a asked
	if o.probe != "" {
		a.Probe = append(a.Probe, o.server.Relay(ctx))
		if o.submission != "" {
			a.Probe = append(a.Probe, o.server.Submission(ctx))
		}
	}
	if o.dnsbl != "" {
		lists := knowledge.Blocklists()
		if len(o.zones) > 0 {
			lists = nil
			for _, zone := range o.zones {
				lists = append(lists, knowledge.Blocklist{Zone: strings.Trim(zone, ".")})
			}
		}
		asker := probe.Lists{Resolver: o.resolver, Timeout: o.timeout}
		a.Address, a.Listings = o.address.String(), asker.Ask(ctx, o.address, lists)
	}
	for _, r := range a.Probe {
		bad = bad || r.Verdict == probe.Wrong
	}
	for _, l := range a.Listings {
		bad = bad || l.Listed
	}
	var text []byte
	if output == "json" {
		if text, err = json.Marshal(a); err != nil {
			return bad, fmt.Errorf("write answers: %w", err)
		}
		text = append(text, '\n')
	} else {
		text = a.appendText(text)
	}
	if _, err = w.Write(text); err != nil {
		return bad, fmt.Errorf("write answers: %w", err)
	}
	return bad, nil
}

func (a *asked) appendText(dst []byte) []byte {
	const most = 500
	for _, r := range a.Probe {
		dst = fmt.Appendf(dst, "%s, %s: %s, %s\n", r.Test, relaylens.Escaped(r.Server, most), r.Verdict, relaylens.Escaped(r.Text, most))
		if r.Reply != "" {
			dst = fmt.Appendf(dst, "  the server said: %s\n", relaylens.Escaped(r.Reply, most))
		}
	}
	for _, l := range a.Listings {
		said := "not listed"
		switch {
		case l.Problem != "":
			said = "no answer to go by: " + l.Problem
		case l.Listed:
			said = "LISTED (" + strings.Join(l.Answers, ", ") + ") " + l.Text
		}
		dst = fmt.Appendf(dst, "%s at %s: %s\n", a.Address, relaylens.Escaped(l.Zone, most), relaylens.Escaped(said, most))
		if l.Listed && l.Removal != "" {
			dst = fmt.Appendf(dst, "  removal: %s\n", l.Removal)
		}
	}
	return dst
}
