package doctor

import (
	"errors"
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/relaylens/relaylens"
)

// Sendmail is a configuration of Sendmail.
type Sendmail struct {
	file     string
	options  map[string]string
	daemons  []map[string]string // O DaemonPortOptions
	classes  map[string][]string // "w", "R", "{TrustAuthMech}"
	unread   map[string][]string // files of classes that cannot be read
	maps     map[string]string   // names of maps, and the files of those that are files
	milters  []string
	rulesets map[string]bool
	rules    []string
	given    map[string]string // texts by the last element of their names
	system   System
}

// ReadSendmail reads sendmail.cf. Given are texts of access, relay-domains,
// local-host-names and mailertable, by these names; what is not among them comes
// from the system. File is what sendmail.cf is called in complaints.
func ReadSendmail(cf, file string, given map[string]string, system System) (*Sendmail, error) {
	m := &Sendmail{file: file, options: map[string]string{}, classes: map[string][]string{}, unread: map[string][]string{}, maps: map[string]string{},
		rulesets: map[string]bool{}, given: given, system: system}
	for _, line := range logicalCf(cf) {
		m.readLine(line)
	}
	if len(m.rulesets) == 0 {
		return nil, errors.New("read Sendmail configuration: there are no rulesets in it; give sendmail.cf, not sendmail.mc")
	}
	return m, nil
}

func (m *Sendmail) mta() relaylens.MTA { return relaylens.Sendmail }

// logicalCf joins continuations as logicalLines does, but keeps tabs, which
// separate the parts of a rule.
func logicalCf(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "" || line[0] == '#':
		case (line[0] == ' ' || line[0] == '\t') && len(lines) > 0:
			lines[len(lines)-1] += line
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

func (m *Sendmail) readLine(line string) {
	rest := line[1:]
	switch line[0] {
	case 'O':
		name, value, _ := strings.Cut(strings.TrimSpace(rest), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if name == "DaemonPortOptions" {
			m.daemons = append(m.daemons, equates(value))
		}
		m.options[name] = value
	case 'C':
		name, value := className(rest)
		m.classes[name] = append(m.classes[name], strings.Fields(value)...)
	case 'F':
		name, value := className(rest)
		m.readClassFile(name, value)
	case 'D':
		if name, value := className(rest); name == "j" {
			m.classes["w"] = append(m.classes["w"], value)
		}
	case 'K':
		words := strings.Fields(rest)
		if len(words) > 1 {
			m.maps[words[0]] = words[len(words)-1]
		}
	case 'X':
		name, _, _ := strings.Cut(rest, ",")
		m.milters = append(m.milters, strings.TrimSpace(name))
	case 'S':
		name, _, _ := strings.Cut(strings.TrimSpace(rest), "=")
		m.rulesets[strings.TrimSpace(name)] = true
	case 'R':
		m.rules = append(m.rules, line)
	}
}

// equates reads "Name=MTA, Port=smtp, M=Ea"; the first letter of a key tells it.
func equates(s string) map[string]string {
	set := map[string]string{}
	for word := range strings.SplitSeq(s, ",") {
		if key, value, ok := strings.Cut(strings.TrimSpace(word), "="); ok && key != "" {
			set[key[:1]] = strings.TrimSpace(value)
		}
	}
	return set
}

// className splits "w/etc/x", "{Name}rest", of which {w} is w.
func className(s string) (name, rest string) {
	if body, rest, ok := cutBraces(s); ok && s[0] == '{' {
		if len(body) == 1 {
			return body, strings.TrimSpace(rest)
		}
		return "{" + body + "}", strings.TrimSpace(rest)
	}
	if s == "" {
		return "", ""
	}
	return s[:1], strings.TrimSpace(s[1:])
}

func (m *Sendmail) readClassFile(name, value string) {
	value = strings.TrimSpace(strings.TrimPrefix(value, "-o"))
	file, _ := cutSpace(value)
	text, ok := m.text(file)
	if !ok {
		if m.system.Exists(file) != No { // a file that is not there has no members
			m.unread[name] = append(m.unread[name], file)
		}
		return
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		m.classes[name] = append(m.classes[name], strings.Fields(line)...)
	}
}

func (m *Sendmail) text(file string) (string, bool) {
	if text, ok := m.given[path.Base(file)]; ok {
		return text, true
	}
	return m.system.ReadFile(file)
}

// class lists the members of a class, those of classes within it included.
func (m *Sendmail) class(name string) []string { return m.members(name, 0) }

func (m *Sendmail) members(name string, depth int) []string {
	var list []string
	for _, member := range m.classes[name] {
		if inner, ok := strings.CutPrefix(member, "$="); ok && depth < maxNested {
			inner, _ = className(inner)
			list = append(list, m.members(inner, depth+1)...)
			continue
		}
		list = append(list, strings.ToLower(member))
	}
	return list
}

// table reads the source of a map; ok is false when it cannot be had.
func (m *Sendmail) table(name string) (list []entry, ok bool) {
	file, has := m.maps[name]
	if !has {
		return nil, true
	}
	text, ok := m.text(file)
	if !ok {
		return nil, false
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if key, value := cutSpace(strings.TrimSpace(line)); key != "" {
			list = append(list, entry{strings.ToLower(key), value})
		}
	}
	return list, true
}

// relayEntries are the keys of access that open relaying, by their tag: "to",
// "connect", "from", or "" for entries without one, which mean all.
func (m *Sendmail) relayEntries() (keys map[string][]string, ok bool) {
	keys = map[string][]string{}
	list, ok := m.table("access")
	for _, e := range list {
		if !strings.HasPrefix(strings.ToUpper(e.value), "RELAY") {
			continue
		}
		tag, key, tagged := strings.Cut(e.key, ":")
		if !tagged || tag == "ipv6" {
			tag, key = "", e.key
		}
		keys[tag] = append(keys[tag], key)
	}
	return keys, ok
}

// sendmailNet reads 10.1 as 10.1.0.0/16, and IPv6:2001:db8 as 2001:db8::/32.
func sendmailNet(s string) (netip.Prefix, bool) {
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "ipv6:"); ok {
		if a, err := netip.ParseAddr(rest); err == nil {
			return netip.PrefixFrom(a, 128), true
		}
		groups := strings.Count(strings.Trim(rest, ":"), ":") + 1
		p, err := netip.ParsePrefix(strings.Trim(rest, ":") + "::/" + strconv.Itoa(16*groups))
		return p, err == nil
	}
	octets := strings.Split(s, ".")
	if len(octets) > 4 {
		return netip.Prefix{}, false
	}
	p, err := netip.ParsePrefix(s + strings.Repeat(".0", 4-len(octets)) + "/" + strconv.Itoa(8*len(octets)))
	return p, err == nil
}

// dnsblZone is the zone of a rule that FEATURE(`dnsbl') and `enhdnsbl' make.
var dnsblZone = regexp.MustCompile(`\$4\.\$3\.\$2\.\$1\.([A-Za-z0-9._-]+)`)

// modifiers are the flags of a daemon, M=Ea.
func modifiers(daemon map[string]string) string { return daemon["M"] }

// daemonPort is the port of a daemon, by number.
func daemonPort(daemon map[string]string) string {
	if daemon["P"] == "" {
		return "25"
	}
	return portNumber(strings.ToLower(daemon["P"]))
}
