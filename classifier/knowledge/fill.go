package knowledge

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/relaylens/relaylens"
)

// Fill is e with its placeholders filled from an event. Names and addresses are
// written by strangers: in commands they are quoted for the shell, and what could
// be taken for an option, or would do something to a terminal, stays a
// placeholder, as does what the event does not tell. Nothing in the result needs
// escaping.
func (e *Entry) Fill(event *relaylens.Event) Entry {
	filled := *e
	filled.Fixes = slices.Clone(e.Fixes)
	for i := range filled.Fixes {
		f := &filled.Fixes[i]
		for _, steps := range []*[]Step{&f.Any, &f.Postfix, &f.Exim, &f.Sendmail, &f.CPanel, &f.Plesk, &f.Dovecot} {
			*steps = fillSteps(*steps, event)
		}
	}
	filled.Checks = slices.Clone(e.Checks)
	for i := range filled.Checks {
		filled.Checks[i].Run = Command(filled.Checks[i].Run, event)
	}
	return filled
}

func fillSteps(steps []Step, event *relaylens.Event) []Step {
	filled := slices.Clone(steps)
	for i := range filled {
		filled[i].Run = Command(filled[i].Run, event)
		filled[i].Text = snippet(filled[i].Text, event)
	}
	return filled
}

// Command fills the placeholders of a shell command. In single quotes a value
// goes on with them, elsewhere it gets its own where it needs them; within double
// quotes, where quoting would fail, no template has any.
func Command(template string, event *relaylens.Event) string {
	var b strings.Builder
	quoted := false
	for len(template) > 0 {
		name, rest, ok := cutPlaceholder(template)
		value, known := "", false
		if ok {
			value, known = valueOf(name, event)
		}
		switch {
		case known && value == "<>" && strings.HasSuffix(b.String(), "<"):
		case known && quoted:
			b.WriteString(strings.ReplaceAll(value, "'", `'\''`))
		case known:
			b.WriteString(quote(value))
		case ok:
			b.WriteString("{" + name + "}")
		default:
			if template[0] == '\'' {
				quoted = !quoted
			}
			b.WriteByte(template[0])
			rest = template[1:]
		}
		template = rest
	}
	return b.String()
}

// snippet fills the placeholders of a piece of a configuration file, with those
// values only that have the same meaning in every file: addresses and domains.
func snippet(template string, event *relaylens.Event) string {
	var b strings.Builder
	for len(template) > 0 {
		name, rest, ok := cutPlaceholder(template)
		if !ok {
			b.WriteByte(template[0])
			template = template[1:]
			continue
		}
		if value, known := valueOf(name, event); known && !placeholders[name].free {
			b.WriteString(value)
		} else {
			b.WriteString("{" + name + "}")
		}
		template = rest
	}
	return b.String()
}

// cutPlaceholder takes a known placeholder off the start of s.
func cutPlaceholder(s string) (name, rest string, ok bool) {
	if s[0] != '{' {
		return "", s, false
	}
	name, rest, ok = strings.Cut(s[1:], "}")
	if _, known := placeholders[name]; !ok || !known {
		return "", s, false
	}
	return name, rest, true
}

// placeholder is what a name in braces stands for.
type placeholder struct {
	value func(*relaylens.Event) string
	free  bool // any text; else it is a name or an address
}

var placeholders = map[string]placeholder{
	"client_ip":        {value: func(e *relaylens.Event) string { return address(e.ClientIP) }},
	"postfix_net":      {value: func(e *relaylens.Event) string { return postfixNet(e.ClientIP) }},
	"sendmail_net":     {value: func(e *relaylens.Event) string { return sendmailNet(e.ClientIP) }},
	"remote_ip":        {value: func(e *relaylens.Event) string { return address(e.RemoteIP) }},
	"remote_host":      {value: remote},
	"helper":           {free: true, value: helper},
	"host":             {value: func(e *relaylens.Event) string { return name(e.Host) }},
	"queue_id":         {value: func(e *relaylens.Event) string { return name(e.QueueID) }},
	"sender_domain":    {value: func(e *relaylens.Event) string { return name(e.SenderDomain()) }},
	"recipient_domain": {value: func(e *relaylens.Event) string { return name(e.RecipientDomain()) }},
	"log":              {value: usualLog},
	"user":             {free: true, value: func(e *relaylens.Event) string { return free(e.User) }},
	"recipient":        {free: true, value: func(e *relaylens.Event) string { return free(e.Recipient) }},
	"sender": {free: true, value: func(e *relaylens.Event) string {
		if e.NullSender {
			return "<>"
		}
		return free(e.Sender)
	}},
}

func valueOf(name string, event *relaylens.Event) (value string, known bool) {
	if event == nil {
		return "", false
	}
	value = placeholders[name].value(event)
	return value, value != ""
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// postfixNet is the address alone as a network of mynetworks.
func postfixNet(a netip.Addr) string {
	if a = a.Unmap().WithZone(""); !a.Is6() {
		return address(a)
	}
	return "[" + a.String() + "]/128"
}

// sendmailNet is the address as a key of the access file, which has IPv6
// addresses with a tag and written out.
func sendmailNet(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return address(a)
	}
	groups := strings.Split(a.StringExpanded(), ":")
	for i, g := range groups {
		if groups[i] = strings.TrimLeft(g, "0"); groups[i] == "" {
			groups[i] = "0"
		}
	}
	return "IPv6:" + strings.Join(groups, ":")
}

func remote(e *relaylens.Event) string {
	if n := name(e.RemoteHost); n != "" {
		return n
	}
	return address(e.RemoteIP)
}

// usualLog is where Debian's package of the mail server has its log.
func usualLog(e *relaylens.Event) string {
	switch e.MTA {
	case relaylens.Postfix, relaylens.Sendmail:
		return "/var/log/mail.log"
	case relaylens.Exim:
		return "/var/log/exim4/mainlog"
	}
	return ""
}

// helper is the table that a command can ask: of some the log tells the kind only.
func helper(e *relaylens.Event) string {
	if relaylens.HelperOf(e) != relaylens.HelperTable || strings.IndexByte(e.RemoteHost, ':') < 1 {
		return ""
	}
	return free(e.RemoteHost)
}

// maxFilled is more than any address or domain has that SMTP allows.
const maxFilled = 320

// name is s if it can be the name of a host, a domain or a message, else empty.
func name(s string) string {
	if s == "" || len(s) > 253 || s[0] == '-' || s[0] == '.' {
		return ""
	}
	for _, r := range s {
		if r != '.' && r != '-' && r != '_' && (!unicode.IsLetter(r) && !unicode.IsDigit(r) || r == unicode.ReplacementChar) {
			return ""
		}
	}
	return s
}

// free is s unless a program would take it for an option, or a terminal for
// more than text.
func free(s string) string {
	if s == "" || len(s) > maxFilled || s[0] == '-' || relaylens.Escaped(s, 0) != s {
		return ""
	}
	return s
}

// quote is s as one word of the shell.
func quote(s string) string {
	for i := range len(s) {
		c := s[i]
		plain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("@%+:,./_-", c) >= 0
		if !plain {
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return s
}
