package doctor

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

// wideNetworks complains of strangers in mynetworks.
func (p *Postfix) wideNetworks(r *Report, s *service) {
	n := p.networks(s)
	setting, file := "mynetworks", p.file(s, "mynetworks")
	value := shortened(p.value(s, setting))
	for _, wide := range n.tooWide() {
		r.complain(wideComplaint(setting, value, file, wide, []knowledge.Step{
			writeStep(file, "mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/28\n"), sayStep("Write your own networks in place of 192.0.2.0/28."), reloadPostfix},
			"postconf(5): mynetworks", "Postfix BASIC_CONFIGURATION_README"))
	}
	if _, set := p.raw(s, setting); set == "" && strings.EqualFold(p.value(s, "mynetworks_style"), "class") {
		r.complain(Complaint{
			Check: NetworksTooWide, Setting: "mynetworks_style", Value: "class", File: p.file(s, "mynetworks_style"),
			Text:       "The whole class A, B or C network of this machine may relay: thousands of other people's machines.",
			Fixes:      []knowledge.Step{writeStep(file, "mynetworks_style = host\n"), reloadPostfix, runStep("postconf mynetworks")},
			References: []string{"postconf(5): mynetworks_style"},
		})
	}
}

func wideComplaint(setting, value, file string, wide netip.Prefix, fixes []knowledge.Step, references ...string) Complaint {
	text := wide.String() + " may relay without a login. So large a network has other people's machines in it, and one infected machine among them is enough to get this server listed."
	if wide.Bits() == 0 {
		text = wide.String() + " is everybody: the whole Internet may relay without a login."
	}
	return Complaint{Check: NetworksTooWide, Subject: wide.String(), Setting: setting, Value: value, File: file, Text: text, Fixes: fixes, References: references}
}

// callouts complains of verifying every stranger's sender.
func (p *Postfix) callouts(r *Report, s *service) {
	for _, setting := range append([]string{"smtpd_data_restrictions", "smtpd_end_of_data_restrictions"}, restrictionLists...) {
		if by := index(p.restrictions(s, setting), "reject_unverified_sender"); by < 0 || !strings.Contains(p.value(s, setting), "reject_unverified_sender") {
			continue
		}
		r.complain(Complaint{
			Check: SenderCallout, Services: s.names(p.file(s, setting)), Setting: setting, Value: shortened(p.value(s, setting)), File: p.file(s, setting),
			Text: "reject_unverified_sender connects to the server of every sender, forged ones included. Who is forged sees an address harvester: such servers end on blocklists, and callouts are refused.",
			Fixes: []knowledge.Step{writeStep(p.file(s, setting), setting+" = ... check_sender_access hash:/etc/postfix/verify_sender ...\n"),
				writeStep("/etc/postfix/verify_sender", "# only domains that are often forged and whose owners agree\nexample.org  reject_unverified_sender\n"),
				runStep("postmap /etc/postfix/verify_sender && postfix reload")},
			References: []string{"Postfix ADDRESS_VERIFICATION_README", "postconf(5): reject_unverified_sender"},
		})
	}
}

// blocklists complains of lists that are no more.
func (p *Postfix) blocklists(r *Report, s *service) {
	for _, setting := range restrictionLists {
		for _, element := range p.restrictions(s, setting) {
			if strings.HasPrefix(element.name, "reject_rbl_") || strings.HasPrefix(element.name, "reject_rhsbl_") || element.name == "permit_dnswl_client" {
				p.blocklist(r, s, setting, element.arg, element.String())
			}
		}
	}
}

func (p *Postfix) postscreenLists(r *Report) {
	for _, item := range p.list(nil, "postscreen_dnsbl_sites") {
		p.blocklist(r, nil, "postscreen_dnsbl_sites", item, item)
	}
}

func (p *Postfix) blocklist(r *Report, s *service, setting, item, element string) {
	zone, _, _ := strings.Cut(item, "=")
	zone, _, _ = strings.Cut(zone, "*")
	file := p.file(s, setting)
	dead := complainDead(zone, setting, file, element, []knowledge.Step{sayStep("Remove " + element + " from " + setting + "."), reloadPostfix}, "postconf(5): "+setting)
	if dead != nil {
		dead.Services = s.names(file)
		r.complain(*dead)
	}
}

// complainDead is the complaint of a blocklist, nil if it is not known to be dead.
func complainDead(zone, setting, file, value string, fixes []knowledge.Step, reference string) *Complaint {
	zone = strings.ToLower(strings.Trim(zone, ". "))
	dead, ok := knowledge.DeadBlocklist(zone)
	if !ok {
		return nil
	}
	text := "The blocklist " + zone + " ended in " + dead.Since + ": " + dead.Means + "."
	return &Complaint{Check: DeadDNSBL, Subject: zone, Setting: setting, Value: shortened(value), File: file, Text: text,
		Fixes: fixes, References: []string{reference, "RFC 5782 (DNS blacklists and whitelists)", "RFC 6471 section 3.4 (shutting a list down)"}}
}

// domainsTwice complains of a domain in two address classes: Postfix warns of it,
// and what it does with the mail depends on which class it asks first.
func (p *Postfix) domainsTwice(r *Report) {
	for i, setting := range classSettings {
		first := p.class(setting)
		for _, other := range classSettings[i+1:] {
			second := p.class(other)
			for _, domain := range first.both(second) {
				r.complain(Complaint{
					Check: DomainTwice, Subject: domain, Setting: setting, Value: setting + " and " + other, File: "/etc/postfix/main.cf",
					Text:       domain + " is listed in " + setting + " and in " + other + ". Postfix takes the first and warns \"do not list domain ... in BOTH\"; recipients of the other are unknown users.",
					Fixes:      []knowledge.Step{sayStep("Keep " + domain + " in one of them: mydestination for accounts of this machine, virtual_mailbox_domains for mailboxes without accounts, relay_domains for another server's."), reloadPostfix},
					References: []string{"Postfix ADDRESS_CLASS_README", "postconf(5): " + other},
				})
			}
		}
	}
}

func (p *Postfix) domainMissing(r *Report, domain string) Truth {
	answer := No
	for _, setting := range classSettings {
		answer = answer.or(p.hasDomain(p.class(setting), domain))
	}
	if answer != No {
		return answer
	}
	name := domainOrPlaceholder(domain)
	r.complain(Complaint{
		Check: DomainMissing, Subject: domain, Setting: "relay_domains", Value: shortened(p.value(nil, "relay_domains")), File: "/etc/postfix/main.cf",
		Text: domain + " is neither in mydestination nor in virtual_alias_domains, virtual_mailbox_domains or relay_domains, and servers bring its mail here.",
		Fixes: []knowledge.Step{
			sayStep("Mailboxes of it are here: add it to virtual_mailbox_domains (or to mydestination for accounts of this machine)."),
			sayStep("Another server has them: add it to relay_domains and tell transport_maps where."),
			writeStep("/etc/postfix/main.cf", "relay_domains = $mydestination, "+name+"\n"), reloadPostfix,
			runStep("postconf -x mydestination virtual_alias_domains virtual_mailbox_domains relay_domains")},
		References: []string{"Postfix ADDRESS_CLASS_README", "postconf(5): relay_domains"},
	})
	return No
}

func (p *Postfix) clientMissing(r *Report, address string) Truth {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return Unknown
	}
	n := p.networks(nil)
	if has := n.has(a); has != No {
		return has
	}
	item := a.String()
	if a.Is6() {
		item = "[" + item + "]"
	}
	r.complain(Complaint{
		Check: ClientMissing, Subject: a.String(), Setting: "mynetworks", Value: shortened(p.value(nil, "mynetworks")), File: p.file(nil, "mynetworks"),
		Text:       a.String() + " sends through this server steadily, never logs in, and is not in mynetworks.",
		Fixes:      []knowledge.Step{writeStep("/etc/postfix/main.cf", "mynetworks = "+strings.TrimSpace(p.value(nil, "mynetworks")+" "+item)+"\n"), reloadPostfix, sayStep("Or have it log in on port 587, which needs no address.")},
		References: []string{"postconf(5): mynetworks"},
	})
	return No
}
