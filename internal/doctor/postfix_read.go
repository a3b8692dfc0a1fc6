package doctor

import (
	"fmt"
	"strings"

	"github.com/relaylens/relaylens"
)

// Postfix is a configuration of Postfix.
type Postfix struct {
	set      map[string]string // main.cf
	defaults map[string]string
	services []service
	master   bool // services are known
	system   System
}

// service is one line of master.cf.
type service struct {
	name     string // "submission"
	kind     string // "inet"
	chroot   bool
	command  string            // "smtpd"
	settings map[string]string // -o
}

// ReadPostfix reads what postconf -n, postconf -d and postconf -M print; main.cf
// and master.cf themselves are understood as well. Without defaults those of
// Postfix 3.7 are meant. Without master nothing is said of services.
func ReadPostfix(main, defaults, master string, system System) (*Postfix, error) {
	p := &Postfix{set: readSettings(main), defaults: readSettings(defaults), system: system, master: master != ""}
	if len(p.set) == 0 {
		return nil, fmt.Errorf("read Postfix configuration: no line reads NAME = VALUE; give the output of postconf -n")
	}
	for _, line := range logicalLines(master) {
		s, ok := readService(line)
		if !ok {
			return nil, fmt.Errorf("read Postfix services: %q is no line of master.cf; give the output of postconf -M", shortened(line))
		}
		p.services = append(p.services, s)
	}
	return p, nil
}

func (p *Postfix) mta() relaylens.MTA { return relaylens.Postfix }

// logicalLines joins lines that begin with white space to the one before, and
// drops comments (postconf(5), master(5)).
func logicalLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case (line[0] == ' ' || line[0] == '\t') && len(lines) > 0:
			lines[len(lines)-1] += " " + trimmed
		default:
			lines = append(lines, trimmed)
		}
	}
	return lines
}

func readSettings(text string) map[string]string {
	set := map[string]string{}
	for _, line := range logicalLines(text) {
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); ok && name != "" && nameLen(name) == len(name) {
			set[name] = strings.TrimSpace(value)
		}
	}
	return set
}

func readService(line string) (service, bool) {
	words := splitList(line, " \t")
	if len(words) < 8 {
		return service{}, false
	}
	s := service{name: words[0], kind: words[1], chroot: words[4] == "y", command: words[7], settings: map[string]string{}}
	for i := 8; i < len(words); i++ {
		option, ok := strings.CutPrefix(words[i], "-o")
		if !ok {
			continue
		}
		if option == "" && i+1 < len(words) {
			i++
			option = words[i]
		}
		option = strings.TrimSuffix(strings.TrimPrefix(option, "{"), "}")
		if name, value, ok := strings.Cut(option, "="); ok {
			s.settings[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return s, true
}

// splitList splits a text at any of the separators, but not within braces.
func splitList(s, separators string) []string {
	var words []string
	depth, start := 0, -1
	for i, c := range s {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case depth <= 0 && strings.ContainsRune(separators, c):
			if start >= 0 {
				words = append(words, s[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
	}
	if start >= 0 {
		words = append(words, s[start:])
	}
	return words
}

// builtIn are the defaults of Postfix 3.7 that the checks need.
var builtIn = map[string]string{
	"compatibility_level":              "0",
	"mydestination":                    "$myhostname, localhost.$mydomain, localhost",
	"mynetworks_style":                 "${{$compatibility_level} <level {2} ? {subnet} : {host}}",
	"parent_domain_matches_subdomains": "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps",
	"queue_directory":                  "/var/spool/postfix",
	"relay_domains":                    "${{$compatibility_level} <level {2} ? {$mydestination} : {}}",
	"smtpd_delay_reject":               "yes",
	"smtpd_relay_restrictions":         "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}",
	"smtpd_sasl_auth_enable":           "no",
	"smtpd_sasl_path":                  "smtpd",
	"smtpd_sasl_type":                  "cyrus",
	"virtual_alias_domains":            "$virtual_alias_maps",
	"virtual_alias_maps":               "$virtual_maps",
	"virtual_mailbox_domains":          "$virtual_mailbox_maps",
}

// raw is a setting as it is written for a service, and where: "master.cf",
// "main.cf", or "" for a default.
func (p *Postfix) raw(s *service, name string) (value, file string) {
	if s != nil {
		if v, ok := s.settings[name]; ok {
			return v, "/etc/postfix/master.cf"
		}
	}
	if v, ok := p.set[name]; ok {
		return v, "/etc/postfix/main.cf"
	}
	if v, ok := p.defaults[name]; ok {
		return v, ""
	}
	return builtIn[name], ""
}

// value is a setting with everything filled in.
func (p *Postfix) value(s *service, name string) string {
	v, _ := p.raw(s, name)
	return expand(v, func(n string) string { v, _ := p.raw(s, n); return v }, 0)
}

func (p *Postfix) isYes(s *service, name string) bool {
	return strings.EqualFold(p.value(s, name), "yes")
}

// file is where a setting has to be changed.
func (p *Postfix) file(s *service, name string) string {
	if _, file := p.raw(s, name); file != "" {
		return file
	}
	return "/etc/postfix/main.cf"
}

// list is a setting that is a list.
func (p *Postfix) list(s *service, name string) []string {
	return splitList(p.value(s, name), ", \t\r\n")
}
