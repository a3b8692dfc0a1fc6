package main

import (
	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens/internal/peers"
	"github.com/relaylens/relaylens/store"
)

// remote reports whether other machines are asked in place of this one's store,
// and refuses what does not go with that.
func (o *inputFlags) remote(a *arguments, unsupported ...string) (bool, error) {
	switch {
	case len(o.servers) > 0:
	case o.flags.Changed("server"):
		return false, usagef("--server \"\": name the URL of a server, or leave it out")
	default:
		return false, nil
	}
	if len(a.files) > 0 {
		return false, usagef("--server asks other machines: FILEs are read here")
	}
	for _, name := range append(unsupported, "config", "data-dir", "mta") {
		if f := o.flags.Lookup(name); f != nil && f.Changed {
			return false, usagef("--%s does not go with --server", name)
		}
	}
	return true, nil
}

// ask prepares the question that every server is asked.
func (o *inputFlags) askServers(a *arguments, span store.Span) (*peers.Servers, peers.Question, error) {
	s, err := peers.New(o.servers)
	if err != nil {
		return nil, peers.Question{}, usagef("--server: %w", err)
	}
	return s, peers.Question{Since: span.Since, Until: span.Until, Match: a.raw, Location: o.location()}, nil
}

// fromServers is summary of other machines.
func (r *summaryRun) fromServers(c *cobra.Command) (events int64, err error) {
	servers, q, err := r.askServers(&r.arguments, r.asked)
	if err != nil {
		return 0, err
	}
	q.Top, q.By = r.top, r.by
	if len(r.by) > 0 {
		table, err := servers.Table(c.Context(), q)
		if err != nil {
			return 0, err
		}
		return r.showTable(c, table)
	}
	report, err := servers.Summary(c.Context(), q)
	if err != nil {
		return 0, err
	}
	return r.show(c, report)
}

// fromServers is events of other machines.
func (q *question) fromServers(c *cobra.Command, out *listing) error {
	servers, p, err := q.askServers(&q.arguments, q.Span)
	if err != nil {
		return err
	}
	p.Number, p.Reverse, p.Grep = q.Number, q.Reverse, q.grep
	return servers.Events(c.Context(), p, out.event)
}
