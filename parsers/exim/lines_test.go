package exim

import (
	"net/netip"

	"github.com/relaylens/relaylens"
)

// event makes an expectation readable: each option sets what a line tells.
type option func(*relaylens.Record)

func want(options ...option) relaylens.Record {
	var rec relaylens.Record
	for _, o := range options {
		o(&rec)
	}
	return rec
}

func is(k relaylens.Kind, r relaylens.Reason, s relaylens.Stage) option {
	return func(rec *relaylens.Record) { rec.Event.Kind, rec.Event.Reason, rec.Event.Stage = k, r, s }
}

func from(ip string, names ...string) option {
	return func(rec *relaylens.Record) {
		e := &rec.Event
		e.ClientIP = netip.MustParseAddr(ip)
		if e.Kind.Refusal() {
			e.Direction = relaylens.Inbound
		}
		for i, p := range []*string{&e.ClientName, &e.Helo} {
			if i < len(names) {
				*p = names[i]
			}
		}
	}
}

func at(name, ip string) option {
	return func(rec *relaylens.Record) {
		rec.Event.Direction, rec.Event.RemoteHost, rec.Event.RemoteIP = relaylens.Outbound, name, netip.MustParseAddr(ip)
	}
}

func asked(name, ip string) option {
	return func(rec *relaylens.Record) {
		rec.Event.RemoteHost, rec.Event.RemoteIP = name, netip.MustParseAddr(ip)
	}
}

func helo(s string) option { return func(rec *relaylens.Record) { rec.Event.Helo = s } }

func port(n uint16) option { return func(rec *relaylens.Record) { rec.Event.ClientPort = n } }

func mail(sender, recipient string) option {
	return func(rec *relaylens.Record) {
		rec.Event.SetSender(sender)
		rec.Event.Recipient = recipient
	}
}

func to(recipient string) option {
	return func(rec *relaylens.Record) { rec.Event.Recipient = recipient }
}

func user(method, name string) option {
	return func(rec *relaylens.Record) { rec.Event.AuthMethod, rec.Event.User = method, name }
}

func text(s string) option { return func(rec *relaylens.Record) { rec.Event.Text = s } }

func reply(code uint16, enhanced, s string) option {
	return func(rec *relaylens.Record) { rec.Event.Code, rec.Event.Enhanced, rec.Event.Text = code, enhanced, s }
}

func queue(id string) option { return func(rec *relaylens.Record) { rec.Event.QueueID = id } }

func proto(p string) option { return func(rec *relaylens.Record) { rec.Event.Proto = p } }

func act(a relaylens.Action) option { return func(rec *relaylens.Record) { rec.Event.Action = a } }

func fact(f relaylens.Fact) option { return func(rec *relaylens.Record) { rec.Fact = f } }

func inbound(rec *relaylens.Record)   { rec.Event.Direction = relaylens.Inbound }
func copied(rec *relaylens.Record)    { rec.Copied = true }
func protest(rec *relaylens.Record)   { rec.Protest = true }
func dismissal(rec *relaylens.Record) { rec.Dismissal = true }
func apart(rec *relaylens.Record)     { rec.Apart = true }
func explain(rec *relaylens.Record)   { rec.Explained = true }
func retried(rec *relaylens.Record)   { rec.Retried = true }
func soft(rec *relaylens.Record)      { rec.Event.Class = relaylens.Class4xx }
func hard(rec *relaylens.Record)      { rec.Event.Class = relaylens.Class5xx }

const (
	relayDenied = relaylens.KindRelayDenied
	senderCheck = relaylens.KindSenderVerify
	authFault   = relaylens.KindAuthFailed
	refusal     = relaylens.KindRejected
	none        = relaylens.ReasonNone
)
