package doctor

import (
	"slices"
	"strings"
)

// restriction is one element of a restriction list (postconf(5),
// smtpd_recipient_restrictions).
type restriction struct {
	name string
	arg  string // of those that take one
	warn bool   // warn_if_reject stands before it
}

func (r *restriction) String() string { return strings.TrimSpace(r.name + " " + r.arg) }

// restrictions reads a list, with restriction classes filled in.
func (p *Postfix) restrictions(s *service, setting string) []restriction {
	return p.readRestrictions(s, p.list(s, setting), 0)
}

func (p *Postfix) readRestrictions(s *service, words []string, depth int) []restriction {
	var list []restriction
	classes := p.list(s, "smtpd_restriction_classes")
	warn := false
	for i := 0; i < len(words) && len(list) < maxItems; i++ {
		r := restriction{name: strings.ToLower(words[i]), warn: warn}
		warn = false
		switch {
		case r.name == "warn_if_reject":
			warn = true
			continue
		case slices.Contains(classes, words[i]) && depth < maxNested:
			list = append(list, p.readRestrictions(s, p.list(s, words[i]), depth+1)...)
			continue
		case strings.Contains(r.name, ":"): // a table alone, the oldest form of check_..._access
			r.name, r.arg = "check_access", words[i]
		case takesArgument(r.name) && i+1 < len(words):
			i++
			r.arg = strings.TrimSuffix(strings.TrimPrefix(words[i], "{"), "}")
		}
		list = append(list, r)
	}
	return list
}

func takesArgument(name string) bool {
	return strings.HasPrefix(name, "check_") && name != "check_relay_domains" || strings.HasPrefix(name, "reject_rbl") || strings.HasPrefix(name, "reject_rhsbl") ||
		name == "permit_dnswl_client" || name == "permit_rhswl_client" || name == "sleep"
}

// verdict is what a restriction list says to a client that wants to relay.
type verdict uint8

const (
	goesOn    verdict = iota // the list ends without an answer
	permits                  // it lets the client pass
	rejects                  // it refuses every recipient that is not ours
	unsettled                // a table decides that cannot be read
)

// caller is a client that wants mail relayed to a foreign domain.
type caller struct {
	loggedIn bool
	nets     *networks // permit_mynetworks
}

// judge walks a list. By is the index of the element that decided.
func (p *Postfix) judge(list []restriction, c caller) (v verdict, by int) {
	opaque := -1
	for i, r := range list {
		if r.warn {
			continue
		}
		switch p.says(&r, c) {
		case permits:
			return permits, i
		case rejects:
			return rejects, i
		case unsettled:
			if opaque < 0 {
				opaque = i
			}
		case goesOn:
		}
	}
	if opaque >= 0 {
		return unsettled, opaque
	}
	return goesOn, len(list)
}

// refuses reports whether it refuses every recipient that is not ours.
func (r *restriction) refuses() bool {
	switch r.name {
	case "reject", "defer", "defer_if_permit", "reject_unauth_destination", "defer_unauth_destination", "check_relay_domains":
		return true
	}
	return false
}

// says is one restriction's word to the caller.
func (p *Postfix) says(r *restriction, c caller) verdict {
	if r.refuses() {
		return rejects
	}
	switch r.name {
	case "permit", "permit_naked_ip_address":
		return permits
	case "permit_sasl_authenticated":
		if c.loggedIn {
			return permits
		}
	case "permit_mynetworks":
		if c.nets != nil && c.nets.everybody() {
			return permits
		}
	case "check_policy_service":
		return unsettled
	}
	if strings.HasPrefix(r.name, "check_") {
		return p.tableSays(r)
	}
	return goesOn
}

// tableSays tells what a stranger can make of an access table: what he says of
// himself is his to choose.
func (p *Postfix) tableSays(r *restriction) verdict {
	kind, rest, _ := strings.Cut(r.arg, ":")
	switch kind {
	case "static":
		return accessSays(strings.Trim(rest, "{} "))
	case "inline", "hash", "btree", "lmdb", "cdb", "dbm", "texthash", "cidr", "regexp", "pcre":
	default:
		return unsettled
	}
	entries, ok := p.entries(r.arg)
	if !ok {
		return unsettled
	}
	for _, e := range entries {
		if accessSays(e.value) != permits {
			continue
		}
		switch r.name {
		case "check_sender_access", "check_helo_access":
			return permits // who writes that name is let through
		case "check_client_access", "check_access":
			if n, ok := parsePrefix(e.key); ok && n.Bits() == 0 {
				return permits
			}
		}
	}
	return goesOn
}

// accessSays reads the right-hand side of an access table (access(5)).
func accessSays(value string) verdict {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(value)), " ")
	switch {
	case word == "ok", word == "permit", word == "relay", word != "" && strings.Trim(word, "0123456789") == "":
		return permits
	case word == "reject", word == "defer", word == "discard":
		return rejects
	}
	return goesOn
}

// entry is a line of a table.
type entry struct{ key, value string }

// entries lists a table whose source is a text.
func (p *Postfix) entries(table string) ([]entry, bool) {
	table = strings.TrimPrefix(table, "proxy:")
	kind, path, _ := strings.Cut(table, ":")
	switch kind {
	case "inline":
		return inlineEntries(path), true
	case "hash", "btree", "lmdb", "cdb", "dbm", "texthash", "cidr", "regexp", "pcre":
	default:
		return nil, false
	}
	text, ok := p.system.ReadFile(path)
	if !ok {
		return nil, false
	}
	var list []entry
	for _, line := range logicalLines(text) {
		key, value := cutSpace(line)
		list = append(list, entry{strings.ToLower(key), value})
	}
	return list, true
}

// inlineEntries reads {{key=value}, {key=value}} and {key=value key=value}.
func inlineEntries(s string) []entry {
	var list []entry
	for _, word := range splitList(unbrace(s), ", \t") {
		if key, value, ok := strings.Cut(unbrace(word), "="); ok {
			list = append(list, entry{strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)})
		}
	}
	return list
}

func cutSpace(line string) (first, rest string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimSpace(line[i:])
}
