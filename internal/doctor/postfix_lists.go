package doctor

import (
	"slices"
	"strings"
)

// classSettings are the address classes of Postfix (ADDRESS_CLASS_README).
var classSettings = []string{"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"}

// class reads the domains of an address class. Where the default makes it those
// of another class it is empty.
func (p *Postfix) class(setting string) *domains {
	d := &domains{setting: setting}
	if _, file := p.raw(nil, setting); file == "" && setting == "relay_domains" {
		return d
	}
	parents := slices.Contains(p.list(nil, "parent_domain_matches_subdomains"), setting)
	p.addDomains(d, p.list(nil, setting), parents, 0)
	return d
}

func (p *Postfix) addDomains(d *domains, items []string, parents bool, depth int) {
	for _, item := range items {
		item, not := cutNot(item)
		switch {
		case item == "":
		case not:
			d.not = append(d.not, strings.ToLower(item))
		case item[0] == '/':
			text, ok := p.system.ReadFile(item)
			if !ok || depth >= maxNested {
				d.unread = append(d.unread, item)
				continue
			}
			p.addDomains(d, splitList(strings.Join(logicalLines(text), " "), ", \t"), parents, depth+1)
		case strings.Contains(item, ":"):
			p.addDomainTable(d, item, parents)
		default:
			d.add(strings.ToLower(item), parents)
		}
	}
}

func (d *domains) add(name string, parents bool) {
	switch {
	case name[0] == '.':
		d.under = append(d.under, name[1:])
	case parents:
		d.below = append(d.below, name)
	default:
		d.names = append(d.names, name)
	}
}

func (p *Postfix) addDomainTable(d *domains, table string, parents bool) {
	if strings.HasPrefix(table, "static:") {
		d.all = true
		return
	}
	entries, ok := p.entries(table)
	if !ok || strings.HasPrefix(table, "regexp:") || strings.HasPrefix(table, "pcre:") {
		d.unread = append(d.unread, table)
		return
	}
	for _, e := range entries {
		// A mailbox or alias table has addresses, and a domain for each class.
		if !strings.Contains(e.key, "@") && e.key != "" {
			d.add(e.key, parents)
		}
	}
}

// hasDomain asks the tables of a class, which only a running server can.
func (p *Postfix) hasDomain(d *domains, domain string) Truth {
	known := d.has(domain)
	if known != Unknown {
		return known
	}
	for _, table := range d.unread {
		switch p.system.Lookup(table, domain) {
		case Yes:
			return Yes
		case Unknown:
			return Unknown
		case No:
		}
	}
	return No
}

// networks reads mynetworks of a service.
func (p *Postfix) networks(s *service) *networks {
	n := &networks{}
	p.addNetworks(n, p.list(s, "mynetworks"), 0)
	if _, file := p.raw(s, "mynetworks"); file == "" && len(n.in) == 0 {
		n.unread = append(n.unread, "mynetworks_style")
	}
	return n
}

func (p *Postfix) addNetworks(n *networks, items []string, depth int) {
	for _, item := range items {
		plain, not := cutNot(item)
		switch {
		case n.add(item):
		case strings.HasPrefix(plain, "/") && depth < maxNested:
			text, ok := p.system.ReadFile(plain)
			if !ok || not {
				n.unread = append(n.unread, plain)
				continue
			}
			p.addNetworks(n, splitList(strings.Join(logicalLines(text), " "), ", \t"), depth+1)
		default:
			entries, ok := p.entries(plain)
			if !ok {
				n.unread = append(n.unread, plain)
			}
			for _, e := range entries {
				n.add(e.key)
			}
		}
	}
}
