package doctor

import (
	"errors"
	"regexp"
	"strings"

	"github.com/relaylens/relaylens"
)

// Exim is a configuration of Exim.
type Exim struct {
	options        map[string]string            // main section, and what exim -bP prints of it
	lists          map[string]map[string]string // "domainlist" and "hostlist", by name
	acls           map[string][]statement
	authenticators []authenticator
	file           string
	system         System
}

// statement is one verb of an ACL with its conditions and modifiers, in order.
type statement struct {
	verb       string
	conditions []condition
}

type condition struct {
	name  string
	not   bool
	value string
}

func (c *condition) String() string {
	not := ""
	if c.not {
		not = "!"
	}
	if c.value == "" {
		return not + c.name
	}
	return not + c.name + " = " + c.value
}

// authenticator is one way to log in.
type authenticator struct {
	name    string
	options map[string]string
}

// ReadExim reads what exim -bP config prints, or the configuration file, and
// the main options as exim -bP prints them, which may be missing. File is what
// the configuration is called in complaints.
func ReadExim(config, options, file string, system System) (*Exim, error) {
	x := &Exim{options: map[string]string{}, lists: map[string]map[string]string{}, acls: map[string][]statement{}, file: file, system: system}
	for line := range strings.Lines(options) {
		x.readOption(strings.TrimSpace(line))
	}
	lines := eximLines(config)
	section := "main"
	var rest []string
	for _, line := range lines {
		word, tail := cutSpace(line)
		if strings.EqualFold(word, "begin") && tail != "" {
			x.readSection(section, rest)
			section, rest = strings.ToLower(tail), nil
			continue
		}
		if section == "main" {
			x.readMain(line)
			continue
		}
		rest = append(rest, line)
	}
	x.readSection(section, rest)
	if len(lines) == 0 || len(x.options) == 0 {
		return nil, errors.New("read Exim configuration: no option is set in it; give the output of exim -bP config")
	}
	return x, nil
}

func (x *Exim) mta() relaylens.MTA { return relaylens.Exim }

// macroName is how a macro is called; options begin with a small letter.
var macroName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_]*$`)

// eximLines gives the logical lines: comments dropped, continuations joined,
// macros filled in and what .ifdef leaves out left out (Exim specification, "The
// runtime configuration file").
func eximLines(text string) []string {
	f := eximFile{macros: map[string]string{}}
	var joined strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" && joined.Len() == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if part, more := strings.CutSuffix(line, "\\"); more {
			joined.WriteString(part)
			continue
		}
		joined.WriteString(line)
		f.line(strings.TrimSpace(joined.String()))
		joined.Reset()
	}
	return f.lines
}

// eximFile is a configuration file that is being read.
type eximFile struct {
	macros map[string]string
	order  []string // of macros, the ones defined last first
	skip   []bool   // of each .ifdef that is open
	lines  []string
}

func (f *eximFile) line(line string) {
	if strings.HasPrefix(line, ".") && f.directive(line) {
		return
	}
	for _, s := range f.skip {
		if s {
			return
		}
	}
	if line == "" {
		return
	}
	if name, value, ok := strings.Cut(line, "="); ok {
		name = strings.TrimSpace(name)
		if macroName.MatchString(name) && len(line) > len(name) {
			f.define(name, strings.TrimSpace(strings.TrimPrefix(value, "=")))
			return
		}
	}
	f.lines = append(f.lines, f.fill(line))
}

func (f *eximFile) define(name, value string) {
	if _, known := f.macros[name]; !known {
		f.order = append([]string{name}, f.order...)
	}
	f.macros[name] = f.fill(value)
}

func (f *eximFile) fill(s string) string {
	for _, name := range f.order {
		if len(s) < maxExpanded {
			s = strings.ReplaceAll(s, name, f.macros[name])
		}
	}
	return s
}

func (f *eximFile) directive(line string) bool {
	word, name := cutSpace(line)
	_, known := f.macros[name]
	switch word {
	case ".ifdef":
		f.skip = append(f.skip, !known)
	case ".ifndef":
		f.skip = append(f.skip, known)
	case ".else":
		if n := len(f.skip) - 1; n >= 0 {
			f.skip[n] = !f.skip[n]
		}
	case ".elifdef", ".elifndef":
		if n := len(f.skip) - 1; n >= 0 {
			f.skip[n] = !f.skip[n] || known == (word == ".elifndef")
		}
	case ".endif":
		if n := len(f.skip) - 1; n >= 0 {
			f.skip = f.skip[:n]
		}
	case ".include", ".include_if_exists":
	default:
		return false
	}
	return true
}

// readMain reads a line of the main section.
func (x *Exim) readMain(line string) {
	word, tail := cutSpace(line)
	switch word {
	case "hide":
		x.readMain(tail)
		return
	case "domainlist", "hostlist", "domainlist_cache", "hostlist_cache":
		kind, _, _ := strings.Cut(word, "_")
		if name, value, ok := strings.Cut(tail, "="); ok {
			if x.lists[kind] == nil {
				x.lists[kind] = map[string]string{}
			}
			x.lists[kind][strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		return
	}
	x.readOption(line)
}

// readOption reads "name = value", "name" and "no_name".
func (x *Exim) readOption(line string) {
	name, value, ok := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if name == "" || strings.ContainsAny(name, " \t:") {
		return
	}
	if !ok {
		value = "true"
		if rest, no := strings.CutPrefix(name, "no_"); no {
			name, value = rest, "false"
		} else if rest, no := strings.CutPrefix(name, "not_"); no {
			name, value = rest, "false"
		}
	}
	x.options[name] = unquote(value)
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1 : len(s)-1])
	}
	return s
}

func (x *Exim) readSection(name string, lines []string) {
	switch name {
	case "acl":
		x.readACLs(lines)
	case "authenticators":
		for _, line := range lines {
			key, value, isOption := strings.Cut(line, "=")
			if n := len(x.authenticators) - 1; isOption && n >= 0 {
				x.authenticators[n].options[strings.TrimSpace(key)] = unquote(strings.TrimSpace(value))
			} else if label, ok := strings.CutSuffix(line, ":"); ok {
				x.authenticators = append(x.authenticators, authenticator{label, map[string]string{}})
			}
		}
	}
}

// verbs of ACL statements (Exim specification, "Access control lists").
const verbs = " accept defer deny discard drop require warn "

func (x *Exim) readACLs(lines []string) {
	name := ""
	for _, line := range lines {
		if label, ok := strings.CutSuffix(line, ":"); ok && !strings.ContainsAny(label, " \t=") {
			name = label
			x.acls[name] = nil
			continue
		}
		word, tail := cutSpace(line)
		if strings.Contains(verbs, " "+word+" ") {
			x.acls[name] = append(x.acls[name], statement{verb: word})
			if line = tail; line == "" {
				continue
			}
		}
		if n := len(x.acls[name]) - 1; n >= 0 {
			s := &x.acls[name][n]
			s.conditions = append(s.conditions, readCondition(line))
		}
	}
}

func readCondition(line string) condition {
	line, not := cutNot(line)
	name, value, _ := strings.Cut(line, "=")
	return condition{name: strings.TrimSpace(name), not: not, value: unquote(strings.TrimSpace(value))}
}
