package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

// The lists that a recipient goes through, in their order.
var restrictionLists = []string{"smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions"}

var postfixOrder = writeStep("/etc/postfix/main.cf", "smtpd_relay_restrictions =\n    permit_mynetworks,\n    permit_sasl_authenticated,\n    reject_unauth_destination\n")

var reloadPostfix = runStep("postfix reload")

func (p *Postfix) examine(r *Report) {
	services := p.smtpd()
	for _, s := range services {
		p.openRelay(r, s)
		p.order(r, s)
		p.callouts(r, s)
		p.blocklists(r, s)
		p.wideNetworks(r, s)
	}
	p.postscreenLists(r)
	p.domainsTwice(r)
	if !p.master {
		r.unknown("which ports offer a login: the services are not given (postconf -M)")
		return
	}
	p.logins(r, services)
	p.submission(r, services)
}

// smtpd are the services that other machines can reach. Where services are not
// known it is main.cf alone, as nil.
func (p *Postfix) smtpd() []*service {
	if !p.master {
		return []*service{nil}
	}
	var list []*service
	for i := range p.services {
		s := &p.services[i]
		if s.command == "smtpd" && (s.kind == "inet" || s.kind == "pass") && !s.loopback() {
			list = append(list, s)
		}
	}
	return list
}

// loopback reports whether only this machine reaches the service.
func (s *service) loopback() bool {
	i := strings.LastIndexByte(s.name, ':')
	if i < 0 {
		return false
	}
	host := strings.Trim(s.name[:i], "[]")
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (s *service) port() string {
	port := s.name[strings.LastIndexByte(s.name, ':')+1:]
	switch port {
	case "submission", "msa":
		return "587"
	case "submissions", "smtps", "urd":
		return "465"
	case "smtp", "smtpd": // smtpd pass is postscreen's
		return "25"
	}
	return port
}

func (s *service) forUsers() bool { return s != nil && (s.port() == "587" || s.port() == "465") }

// names are those of the services in a complaint: none where the setting is
// that of all.
func (s *service) names(file string) []string {
	if s == nil || file == "/etc/postfix/main.cf" && !s.forUsers() {
		return nil
	}
	return []string{s.name + "/" + s.kind}
}

// openRelay asks the relay and recipient lists: one that refuses is enough.
func (p *Postfix) openRelay(r *Report, s *service) {
	stranger := caller{nets: p.networks(s)}
	var passed []string
	works := false // Postfix insists on one of what refuses, wherever it stands
	for _, setting := range []string{"smtpd_relay_restrictions", "smtpd_recipient_restrictions"} {
		list := p.restrictions(s, setting)
		v, by := p.judge(list, stranger)
		works = works || slices.ContainsFunc(list, func(r restriction) bool { return !r.warn && r.refuses() })
		switch v {
		case rejects:
			return
		case unsettled:
			r.unknown("whether strangers can relay: " + list[by].String() + " in " + setting + " decides it")
			return
		case permits:
			passed = append(passed, setting+" lets strangers pass with "+list[by].String())
		case goesOn:
			passed = append(passed, setting+" refuses nothing")
		}
	}
	setting := "smtpd_relay_restrictions"
	means := "Everybody may send mail to everywhere through this server: " + strings.Join(passed, ", and ") + ". Spammers find it within hours, and blocklists soon after."
	if !works {
		means = "No rule refuses strangers: " + strings.Join(passed, ", and ") + ". Postfix takes no mail at all with such lists (\"fatal: ... specify at least one working instance of: reject_unauth_destination\"); any that satisfies it behind a permit makes an open relay."
	}
	r.complain(Complaint{
		Check: OpenRelay, Services: s.names(p.file(s, setting)), Setting: setting, Value: shortened(p.value(s, setting)), File: p.file(s, setting),
		Text: means,
		Fixes: []knowledge.Step{postfixOrder, sayStep("Remove overrides of it from master.cf and let no list before it answer OK to what a client says of itself."), reloadPostfix,
			runStep("swaks --server localhost --from probe@example.org --to probe@example.net --quit-after RCPT")},
		References: []string{"postconf(5): smtpd_relay_restrictions", "Postfix SMTPD_ACCESS_README"},
	})
}

// order asks every list what it says to a user who logged in.
func (p *Postfix) order(r *Report, s *service) {
	if !p.isYes(s, "smtpd_sasl_auth_enable") {
		return
	}
	user := caller{loggedIn: true}
	for _, setting := range restrictionLists {
		if p.isYes(s, "smtpd_delay_reject") || setting == "smtpd_relay_restrictions" || setting == "smtpd_recipient_restrictions" {
			p.orderOf(r, s, setting, user)
			continue
		}
		if setting == "smtpd_client_restrictions" {
			p.orderOf(r, s, setting, caller{}) // the login comes later
		}
	}
}

func (p *Postfix) orderOf(r *Report, s *service, setting string, user caller) {
	list := p.restrictions(s, setting)
	v, by := p.judge(list, user)
	if v != rejects {
		by = p.strictBefore(list, s)
		if by < 0 {
			return
		}
	}
	text := "Users who logged in are refused: " + setting + " has no permit_sasl_authenticated before " + list[by].String() + "."
	if !user.loggedIn {
		text = "Users are refused before they can log in: with smtpd_delay_reject = no, " + list[by].String() + " in " + setting + " comes before AUTH."
	} else if i := index(list, "permit_sasl_authenticated"); i > by {
		text = "Users who logged in are refused: in " + setting + " " + list[by].String() + " stands before permit_sasl_authenticated. The first that answers decides."
	}
	r.complain(Complaint{
		Check: RestrictionOrder, Services: s.names(p.file(s, setting)), Setting: setting, Value: shortened(p.value(s, setting)), File: p.file(s, setting), Text: text,
		Fixes:      []knowledge.Step{p.orderFix(s, setting, list, by), reloadPostfix},
		References: []string{"postconf(5): " + setting, "Postfix SMTPD_ACCESS_README"},
	})
}

// strictBefore finds what judges strangers by their address before users are let
// pass, where the list means to let them: their addresses are the listed ones of
// home networks.
func (p *Postfix) strictBefore(list []restriction, s *service) int {
	sasl := index(list, "permit_sasl_authenticated")
	if sasl < 0 && !s.forUsers() {
		return -1
	}
	for i, r := range list {
		if i > sasl && sasl >= 0 {
			break
		}
		if !r.warn && (strings.HasPrefix(r.name, "reject_rbl_client") || strings.HasPrefix(r.name, "reject_unknown_client") || strings.HasPrefix(r.name, "reject_unknown_reverse_client")) {
			return i
		}
	}
	return -1
}

func index(list []restriction, name string) int {
	for i, r := range list {
		if r.name == name {
			return i
		}
	}
	return -1
}

// orderFix is the list with the permission in front of what refuses.
func (p *Postfix) orderFix(s *service, setting string, list []restriction, by int) knowledge.Step {
	var right []string
	for i, r := range list {
		if i == by {
			right = append(right, "permit_sasl_authenticated")
		}
		if r.name != "permit_sasl_authenticated" {
			word := r.String()
			if r.warn {
				word = "warn_if_reject " + word
			}
			right = append(right, word)
		}
	}
	file := p.file(s, setting)
	if file == "/etc/postfix/master.cf" {
		return writeStep(file+", below "+s.name, "  -o { "+setting+" = "+strings.Join(right, ", ")+" }\n")
	}
	return writeStep(file, setting+" =\n    "+strings.Join(right, ",\n    ")+"\n")
}
