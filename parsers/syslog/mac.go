package syslog

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// beginMac reads what stands behind "Timestamp" in the first line of log show of macOS,
// which tells its style.
func (t *table) beginMac(columns []string) bool {
	switch strings.Join(columns, " ") {
	case "Thread Type Activity PID TTL":
		t.form = tableMac
	case "(process)[PID]":
		t.form = tableMacSyslog
	case "Ty Process[PID:TID]":
		t.form = tableMacCompact
	default:
		return false
	}
	return true
}

// mac reads a line of log show: what stands before the text of a message. Lines
// without a stamp are the rest of a message, which no mail server writes.
func (d *Decoder) mac(line *relaylens.Line, s string, env *relaylens.Envelope) Status {
	st, ok := d.clock.iso(s)
	if !ok || st.n >= len(s) {
		return Blank
	}
	env.Time, env.TimeDigits = d.clock.at(&st), st.digits
	s = s[st.n:]
	switch d.table.form {
	case tableMacSyslog: // host process[pid]: text
		header(strings.TrimLeft(s, " "), env)
	case tableMacCompact: // type process[pid:thread] text
		_, s = cutWord(s)
		process, text := cutWord(s)
		name, numbers, _ := strings.Cut(process, "[")
		pid, _, _ := strings.Cut(numbers, ":")
		env.Program, env.PID, env.Text = name, parsePID(pid), strings.TrimLeft(text, " ")
	default: // thread type activity pid ttl process: text
		var columns [5]string
		for i := range columns {
			columns[i], s = cutWord(s)
		}
		process, text, _ := strings.Cut(s, ": ")
		env.Program, env.PID, env.Text = strings.TrimLeft(process, " "), parsePID(columns[3]), text
	}
	if env.Program == "" || env.PID == 0 {
		*env = relaylens.Envelope{}
		return Malformed
	}
	if rest, ok := strings.CutPrefix(env.Text, "("); ok { // the library that wrote it
		if _, text, ok := strings.Cut(rest, ") "); ok {
			env.Text = text
		}
	}
	if rest, ok := strings.CutPrefix(env.Text, "["); ok { // its subsystem and category
		if _, text, ok := strings.Cut(rest, "] "); ok {
			env.Text = text
		}
	}
	return d.finish(line, env)
}

// cutWord is the first word of s, and what follows it.
func cutWord(s string) (first, rest string) {
	s = strings.TrimLeft(s, " ")
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// macProgram is the name of a program as Postfix's own log has it, by the path of its file.
func macProgram(path string) string {
	at := strings.LastIndexByte(path, '/')
	if strings.HasSuffix(path[:max(at, 0)], "/postfix") {
		return path[at+1-len("postfix/"):]
	}
	return path[at+1:]
}
