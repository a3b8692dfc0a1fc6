package doctor

import (
	"strings"
)

// eximList splits an Exim list: at colons, doubled ones standing for one, or at
// the separator of "<;" (Exim specification, "Changing list separators"). Items
// of newlines and semicolons in lookups are kept.
func eximList(s string) []string {
	separator := byte(':')
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "<"); ok && rest != "" && strings.IndexByte(";,:|/ ", rest[0]) >= 0 {
		separator, s = rest[0], rest[1:]
	}
	var items []string
	var item strings.Builder
	depth := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == separator && depth <= 0:
			if i+1 < len(s) && s[i+1] == separator {
				i++
				break
			}
			items = append(items, strings.TrimSpace(item.String()))
			item.Reset()
			continue
		}
		item.WriteByte(c)
	}
	if last := strings.TrimSpace(item.String()); last != "" || len(items) == 0 {
		items = append(items, last)
	}
	return items
}

// maxItems bounds a list whose lists are filled in.
const maxItems = 10_000

// items expands +name of a list, with nested ones, into items.
func (x *Exim) items(kind, value string, depth int) []string {
	var items []string
	for _, item := range eximList(value) {
		if len(items) > maxItems {
			break
		}
		plain, not := cutNot(item)
		name, isList := strings.CutPrefix(plain, "+")
		inner, known := x.lists[kind][name]
		switch {
		case item == "" || plain == "+include_unknown" || plain == "+ignore_unknown":
		case isList && known && depth < maxNested:
			for _, i := range x.items(kind, inner, depth+1) {
				if not {
					i = strings.TrimPrefix("!"+i, "!!")
				}
				items = append(items, i)
			}
		default:
			items = append(items, item)
		}
	}
	return items
}

// domains reads a domain list (Exim specification, "Domain lists").
func (x *Exim) domains(setting, value string) *domains {
	d := &domains{setting: setting}
	for _, item := range x.items("domainlist", value, 0) {
		item, not := cutNot(item)
		x.addDomain(d, strings.ToLower(item), not)
	}
	return d
}

func (x *Exim) addDomain(d *domains, item string, not bool) {
	switch {
	case not:
		d.not = append(d.not, item)
		if len(d.names)+len(d.below)+len(d.under) == 0 && !d.all {
			d.all = true // a list that ends in an exclusion has everything else
		}
	case item == "*":
		d.all = true
	case item == "@":
		d.names = append(d.names, strings.ToLower(x.options["primary_hostname"]))
	case item == "@[]", item == "":
	case strings.HasPrefix(item, "*."):
		d.under = append(d.under, item[2:])
	case strings.HasPrefix(item, "/"):
		x.addDomainFile(d, item)
	case strings.Contains(item, "lsearch;"):
		x.addDomainFile(d, item[strings.LastIndexByte(item, ';')+1:])
	case strings.HasPrefix(item, "dsearch;"), strings.ContainsAny(item, ";$^*@"):
		d.unread = append(d.unread, item)
	default:
		d.names = append(d.names, item)
	}
}

// addDomainFile reads a file of domains, one a line; for lsearch what follows
// the key is its data.
func (x *Exim) addDomainFile(d *domains, file string) {
	text, ok := x.system.ReadFile(strings.TrimSpace(file))
	if !ok {
		d.unread = append(d.unread, file)
		return
	}
	for _, line := range logicalLines(text) {
		if key := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' || c == ':' }); len(key) > 0 {
			x.addDomain(d, strings.ToLower(key[0]), false)
		}
	}
}

// networks reads a host list (Exim specification, "Host lists").
func (x *Exim) networks(value string) *networks {
	n := &networks{}
	for _, item := range x.items("hostlist", value, 0) {
		plain, not := cutNot(item)
		switch {
		case plain == "*" && not: // nobody else
		case plain == "*":
			n.add("0.0.0.0/0")
			n.add("::/0")
		case plain == "@[]", plain == "@":
		case n.add(item):
		case strings.HasPrefix(plain, "/"):
			text, ok := x.system.ReadFile(plain)
			if !ok {
				n.unread = append(n.unread, plain)
			}
			for _, line := range logicalLines(text) {
				n.add(line)
			}
		default:
			n.unread = append(n.unread, plain)
		}
	}
	return n
}
