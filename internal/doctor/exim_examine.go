package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

var reloadExim = runStep("exim -bV && systemctl reload exim4")

const eximAccepts = "accept  hosts         = +relay_from_hosts\n        control       = submission\naccept  authenticated = *\n        control       = submission\n"

func (x *Exim) option(name, otherwise string) string {
	if v, ok := x.options[name]; ok {
		return v
	}
	return otherwise
}

// rcpt is the name of the ACL for RCPT.
func (x *Exim) rcpt() string { return x.option("acl_smtp_rcpt", "") }

func (x *Exim) examine(r *Report) {
	x.openRelay(r)
	x.order(r)
	x.wideNetworks(r)
	x.domainsTwice(r)
	x.eachStatement(func(acl string, s *statement) {
		x.callout(r, acl, s)
		x.blocklists(r, acl, s)
	})
	x.logins(r)
	x.submission(r)
}

// eachStatement walks the ACLs in the order of their names.
func (x *Exim) eachStatement(visit func(acl string, s *statement)) {
	names := make([]string, 0, len(x.acls))
	for name := range x.acls {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for i := range x.acls[name] {
			visit(name, &x.acls[name][i])
		}
	}
}

// text is a statement as it is written.
func (s *statement) text() string {
	if s == nil {
		return "(the end of the ACL)"
	}
	words := make([]string, len(s.conditions))
	for i := range s.conditions {
		words[i] = s.conditions[i].String()
	}
	return shortened(s.verb + " " + strings.Join(words, ", "))
}

func (x *Exim) openRelay(r *Report) {
	var a attempt
	switch x.judge(x.rcpt(), &a, 0) {
	case unsettled:
		r.unknown("whether strangers can relay: a condition of " + x.rcpt() + " decides it")
	case permits:
		r.complain(Complaint{
			Check: OpenRelay, Setting: x.rcpt(), Value: a.by.text(), File: x.file,
			Text: "Everybody may send mail to everywhere through this server: for a stranger's foreign recipient, " + x.rcpt() + " comes to an accept. Spammers find it within hours, and blocklists soon after.",
			Fixes: []knowledge.Step{writeStep(x.file+", "+x.rcpt(), eximAccepts+"require message       = relay not permitted\n        domains       = +local_domains : +relay_to_domains\n"), reloadExim,
				runStep("printf '%s\\n' 'EHLO test.example' 'MAIL FROM:<probe@example.org>' 'RCPT TO:<probe@example.net>' QUIT | exim -bh 198.51.100.1")},
			References: []string{"Exim specification: Access control lists, Policy control on incoming mail"},
		})
	case rejects, goesOn:
	}
}

// order asks the ACLs what they say to a user who logged in.
func (x *Exim) order(r *Report) {
	if len(x.servers()) == 0 {
		return
	}
	for _, acl := range []string{x.option("acl_smtp_mail", ""), x.rcpt()} {
		a := attempt{loggedIn: true}
		if acl == "" && acl != x.rcpt() || x.judge(acl, &a, 0) != rejects {
			continue
		}
		text := "Users who logged in are refused: " + acl + " has no \"accept authenticated = *\"."
		if x.acceptsUsers(acl) {
			text = "Users who logged in are refused: in " + acl + ", \"" + a.by.text() + "\" stands before \"accept authenticated = *\". The first that answers decides."
		}
		r.complain(Complaint{
			Check: RestrictionOrder, Setting: acl, Value: a.by.text(), File: x.file, Text: text,
			Fixes:      []knowledge.Step{writeStep(x.file+", "+acl+", before "+a.by.text(), eximAccepts), reloadExim},
			References: []string{"Exim specification: Access control lists", "Exim specification: SMTP authentication"},
		})
	}
}

func (x *Exim) acceptsUsers(acl string) bool {
	for i := range x.acls[acl] {
		s := &x.acls[acl][i]
		if s.verb == "accept" && slices.ContainsFunc(s.conditions, func(c condition) bool { return c.name == "authenticated" && !c.not }) {
			return true
		}
	}
	return false
}

// relayHosts are the host lists whose members may relay without a login.
func (x *Exim) relayHosts() []condition {
	var hosts []condition
	for i := range x.acls[x.rcpt()] {
		s := &x.acls[x.rcpt()][i]
		others := statement{verb: s.verb}
		var own []condition
		for _, c := range s.conditions {
			if c.name == "hosts" && !c.not && !isEmptyHost(c.value) {
				own = append(own, c)
			} else {
				others.conditions = append(others.conditions, c)
			}
		}
		if all, _ := x.holds(&others, &attempt{}, 0); s.verb == "accept" && all != No {
			hosts = append(hosts, own...)
		}
	}
	return hosts
}

// listed is what a condition names: "hostlist relay_from_hosts" and its value,
// or itself.
func (x *Exim) listed(kind string, c *condition) (setting, value string) {
	for _, item := range eximList(c.value) {
		if name, ok := strings.CutPrefix(item, "+"); ok {
			if v, known := x.lists[kind][name]; known {
				return kind + " " + name, v
			}
		}
	}
	return x.rcpt(), c.String()
}

func (x *Exim) wideNetworks(r *Report) {
	for _, c := range x.relayHosts() {
		setting, value := x.listed("hostlist", &c)
		n := x.networks(c.value)
		for _, wide := range n.tooWide() {
			r.complain(wideComplaint(setting, shortened(value), x.file, wide, []knowledge.Step{
				writeStep(x.file, "hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; 192.0.2.0/28\n"), sayStep("Write your own networks in place of 192.0.2.0/28 (Debian: dc_relay_nets in /etc/exim4/update-exim4.conf.conf)."), reloadExim},
				"Exim specification: Host lists"))
		}
	}
}

func (x *Exim) clientMissing(r *Report, address string) Truth {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return Unknown
	}
	setting, value, answer := "hostlist relay_from_hosts", "", No
	for _, c := range x.relayHosts() {
		setting, value = x.listed("hostlist", &c)
		n := x.networks(c.value)
		answer = answer.or(n.has(a))
	}
	if answer != No {
		return answer
	}
	r.complain(Complaint{
		Check: ClientMissing, Subject: a.String(), Setting: setting, Value: shortened(value), File: x.file,
		Text: a.String() + " sends through this server steadily, never logs in, and no host list lets it relay.",
		Fixes: []knowledge.Step{writeStep(x.file, "hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; "+a.String()+"\n"), sayStep("On Debian the list is dc_relay_nets in /etc/exim4/update-exim4.conf.conf."), reloadExim,
			sayStep("Or have it log in on port 587, which needs no address.")},
		References: []string{"Exim specification: Host lists"},
	})
	return No
}

// classes are the domain lists that mail is taken for.
func (x *Exim) classes() []*domains {
	var list []*domains
	seen := map[string]bool{}
	x.eachStatement(func(acl string, s *statement) {
		if s.verb != "accept" && s.verb != "require" || acl != x.rcpt() && !strings.Contains(acl, "rcpt") {
			return
		}
		for i := range s.conditions {
			if c := &s.conditions[i]; c.name == "domains" && !c.not {
				for _, item := range eximList(c.value) {
					if !seen[item] && !strings.HasPrefix(item, "!") {
						seen[item] = true
						list = append(list, x.domains(strings.TrimPrefix(item, "+"), item))
					}
				}
			}
		}
	})
	return list
}

func (x *Exim) domainsTwice(r *Report) {
	list := x.classes()
	for i, first := range list {
		for _, second := range list[i+1:] {
			for _, domain := range first.both(second) {
				r.complain(Complaint{
					Check: DomainTwice, Subject: domain, Setting: "domainlist " + first.setting, Value: first.setting + " and " + second.setting, File: x.file,
					Text:       domain + " is in the domain lists " + first.setting + " and " + second.setting + ". The routers take the one that they ask first; what the other says of the domain never happens.",
					Fixes:      []knowledge.Step{sayStep("Keep " + domain + " in one of them: the local one if its mailboxes are here, the other if another server has them."), reloadExim, runStep("exim -bt postmaster@" + domainOrPlaceholder(domain))},
					References: []string{"Exim specification: Domain lists", "Exim specification: Generic options for routers"},
				})
			}
		}
	}
}

func (x *Exim) domainMissing(r *Report, domain string) Truth {
	answer := No
	var names []string
	for _, d := range x.classes() {
		names = append(names, d.setting)
		answer = answer.or(d.has(domain))
	}
	if answer != No {
		return answer
	}
	r.complain(Complaint{
		Check: DomainMissing, Subject: domain, Setting: "domainlist relay_to_domains", Value: shortened(x.lists["domainlist"]["relay_to_domains"]), File: x.file,
		Text: domain + " is in none of the domain lists that mail is taken for (" + strings.Join(names, ", ") + "), and servers bring its mail here.",
		Fixes: []knowledge.Step{
			sayStep("Mailboxes of it are here: add it to local_domains (Debian: dc_other_hostnames). Another server has them: add it to relay_to_domains (Debian: dc_relay_domains)."),
			writeStep(x.file, "domainlist relay_to_domains = "+domainOrPlaceholder(domain)+"\n"), reloadExim, runStep("exim -bP +local_domains +relay_to_domains")},
		References: []string{"Exim specification: Domain lists"},
	})
	return No
}
