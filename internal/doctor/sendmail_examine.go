package doctor

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

const (
	sendmailMC  = "/etc/mail/sendmail.mc"
	accessFile  = "/etc/mail/access"
	relayFile   = "/etc/mail/relay-domains"
	localFile   = "/etc/mail/local-host-names"
	mailerTable = "/etc/mail/mailertable"
)

var (
	remakeSendmail = runStep("make -C /etc/mail && systemctl restart sendmail")
	remakeAccess   = runStep("makemap hash /etc/mail/access < /etc/mail/access")
)

func (m *Sendmail) examine(r *Report) {
	m.openRelay(r)
	m.wideNetworks(r)
	m.order(r)
	m.domainsTwice(r)
	m.milterCallouts(r)
	m.blocklists(r)
	m.logins(r)
	m.submission(r)
}

// openRelay looks for what FEATUREs leave out of or add to the ruleset of RCPT.
func (m *Sendmail) openRelay(r *Report) {
	denies := m.rulesets["Relay_ok"]
	local := false
	canonical := false
	for _, rule := range m.rules {
		denies = denies || strings.Contains(rule, "Relaying denied")
		if canonical && strings.Contains(rule, "$=w >") && strings.Contains(rule, "$@ RELAY") {
			local = true
		}
		// The sender of the transaction is looked at for the relay's sake.
		canonical = strings.Contains(rule, "$>CanonAddr $&f") || canonical && strings.HasPrefix(rule, "R<?>")
	}
	switch {
	case !denies && m.rulesets["check_rcpt"]:
		m.complainOpen(r, "FEATURE(promiscuous_relay)", m.file, "Everybody may send mail to everywhere through this server: ruleset check_rcpt denies nobody to relay. Spammers find it within hours, and blocklists soon after.",
			"dnl remove FEATURE(`promiscuous_relay')\n")
	case local:
		m.complainOpen(r, "FEATURE(relay_local_from)", m.file, "Whoever writes a sender of this server's domains may relay, and a sender is easily forged.", "dnl remove FEATURE(`relay_local_from')\n")
	}
	relays, _ := m.relayEntries()
	for _, name := range append(m.class("R"), append(relays["to"], relays[""]...)...) {
		if _, isNet := sendmailNet(name); !isNet && !strings.Contains(name, ".") && name != "localhost" && len(name) > 1 {
			r.complain(Complaint{
				Check: OpenRelay, Subject: name, Setting: "relay-domains, access", Value: name, File: relayFile,
				Text:       "Everybody may send mail to every domain that ends in ." + name + " through this server.",
				Fixes:      []knowledge.Step{sayStep("Remove " + name + " from " + relayFile + " and " + accessFile + "; name the domains that are yours."), remakeAccess, runStep("systemctl restart sendmail")},
				References: []string{"Sendmail cf/README: Anti-spam configuration control"},
			})
		}
	}
}

func (m *Sendmail) complainOpen(r *Report, setting, file, text, fix string) {
	r.complain(Complaint{Check: OpenRelay, Setting: setting, File: file, Text: text,
		Fixes: []knowledge.Step{writeStep(sendmailMC, fix), remakeSendmail,
			runStep("printf '%s\\n' '.D{client_addr}198.51.100.1' 'check_rcpt <probe@example.net>' | sendmail -bt")},
		References: []string{"Sendmail cf/README: Anti-spam configuration control"}})
}

// networks are the addresses that may relay without a login.
func (m *Sendmail) networks() *networks {
	n := &networks{}
	relays, ok := m.relayEntries()
	if !ok {
		n.unread = append(n.unread, accessFile)
	}
	n.unread = append(n.unread, m.unread["R"]...)
	for _, item := range append(m.class("R"), append(relays["connect"], relays[""]...)...) {
		if p, ok := sendmailNet(item); ok {
			n.in = append(n.in, p)
		}
	}
	return n
}

func (m *Sendmail) wideNetworks(r *Report) {
	for _, wide := range m.networks().tooWide() {
		r.complain(wideComplaint("relay-domains, access", wide.String(), accessFile, wide, []knowledge.Step{
			writeStep(accessFile, "Connect:192.0.2     RELAY\n"), sayStep("Write your own networks in place of 192.0.2, and remove the wide one from " + accessFile + " and " + relayFile + "."), remakeAccess},
			"Sendmail cf/README: Anti-spam configuration control"))
	}
}

func (m *Sendmail) clientMissing(r *Report, address string) Truth {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return Unknown
	}
	if has := m.networks().has(a); has != No {
		return has
	}
	key := a.String()
	if a.Is6() {
		key = "IPv6:" + key
	}
	r.complain(Complaint{
		Check: ClientMissing, Subject: a.String(), Setting: "access", File: accessFile,
		Text:       a.String() + " sends through this server steadily, never logs in, and neither access nor relay-domains lets it relay.",
		Fixes:      []knowledge.Step{writeStep(accessFile, "Connect:"+key+"     RELAY\n"), remakeAccess, sayStep("Or have it log in on port 587, which needs no address.")},
		References: []string{"Sendmail cf/README: Anti-spam configuration control"},
	})
	return No
}

// order finds mechanisms that are on offer and give no right to relay.
func (m *Sendmail) order(r *Report) {
	trusted := m.class("{TrustAuthMech}")
	var idle []string
	for _, mechanism := range m.mechanisms() {
		if !contains(trusted, mechanism) {
			idle = append(idle, mechanism)
		}
	}
	if len(idle) == 0 || m.loginOff() != "" {
		return
	}
	all := strings.ToUpper(strings.Join(m.mechanisms(), " "))
	r.complain(Complaint{
		Check: RestrictionOrder, Setting: "TRUST_AUTH_MECH", Value: strings.ToUpper(strings.Join(trusted, " ")), File: m.file,
		Text: "Users who logged in with " + strings.ToUpper(strings.Join(idle, ", ")) + " are refused: the mechanism is on offer and not among those that may relay, and check_rcpt denies whom no rule before it lets relay.",
		Fixes: []knowledge.Step{writeStep(sendmailMC, "TRUST_AUTH_MECH(`"+all+"')dnl\ndefine(`confAUTH_MECHANISMS', `"+all+"')dnl\n"), remakeSendmail,
			runStep("printf '%s\\n' '$={TrustAuthMech}' | sendmail -bt")},
		References: []string{"Sendmail cf/README: TRUST_AUTH_MECH"},
	})
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// mechanisms are those that the configuration offers, in small letters.
func (m *Sendmail) mechanisms() []string {
	return strings.Fields(strings.ToLower(m.options["AuthMechanisms"]))
}

func (m *Sendmail) local() *domains {
	return &domains{setting: "local-host-names", names: m.class("w"), unread: m.unread["w"]}
}

func (m *Sendmail) relayed() *domains {
	d := &domains{setting: "relay-domains", unread: m.unread["R"]}
	relays, ok := m.relayEntries()
	if !ok {
		d.unread = append(d.unread, accessFile)
	}
	for _, name := range append(m.class("R"), append(relays["to"], relays[""]...)...) {
		if _, isNet := sendmailNet(name); !isNet {
			d.below = append(d.below, strings.TrimPrefix(name, "."))
		}
	}
	return d
}

func (m *Sendmail) mailed() *domains {
	d := &domains{setting: "mailertable"}
	list, ok := m.table("mailertable")
	if !ok {
		d.unread = append(d.unread, mailerTable)
	}
	for _, e := range list {
		d.add(e.key, false)
	}
	return d
}

func (m *Sendmail) domainsTwice(r *Report) {
	first := m.local()
	for _, second := range []*domains{m.relayed(), m.mailed()} {
		for _, domain := range first.both(second) {
			if domain == "localhost" {
				continue
			}
			r.complain(Complaint{
				Check: DomainTwice, Subject: domain, Setting: "local-host-names", Value: "local-host-names and " + second.setting, File: localFile,
				Text:       domain + " is local (class w) and in " + second.setting + " as well. Local comes first: what " + second.setting + " says of it never happens, and users who are not here are unknown.",
				Fixes:      []knowledge.Step{sayStep("Keep " + domain + " in one of them: " + localFile + " if its users are here, " + relayFile + " with " + mailerTable + " if another server has them."), runStep("systemctl restart sendmail")},
				References: []string{"Sendmail cf/README: FEATURE(`mailertable'), Anti-spam configuration control"},
			})
		}
	}
}

func (m *Sendmail) domainMissing(r *Report, domain string) Truth {
	if _, byMX := m.maps["mxserved"]; byMX {
		return Unknown
	}
	answer := No
	for _, d := range []*domains{m.local(), m.relayed()} {
		answer = answer.or(d.has(domain))
	}
	if answer != No {
		return answer
	}
	name := domainOrPlaceholder(domain)
	r.complain(Complaint{
		Check: DomainMissing, Subject: domain, Setting: "relay-domains", File: relayFile,
		Text: domain + " is neither local (class w) nor in relay-domains nor in access with RELAY, and servers bring its mail here.",
		Fixes: []knowledge.Step{sayStep("Its users are here: add it to " + localFile + ". Another server has them:"), writeStep(relayFile, name+"\n"), writeStep(mailerTable, name+"     esmtp:[INNER-SERVER]\n"),
			runStep("makemap hash /etc/mail/mailertable < /etc/mail/mailertable && systemctl restart sendmail"), runStep("printf '%s\\n' '$=w' '$=R' | sendmail -bt")},
		References: []string{"Sendmail cf/README: Anti-spam configuration control"},
	})
	return No
}
