package syslog

import (
	"strings"
	"unsafe"

	"github.com/relaylens/relaylens"
)

const (
	repeated     = "message repeated "      // rsyslog, runtime/ratelimit.c
	lastRepeated = "last message repeated " // BSD's syslogd, sysklogd, busybox

	// repeatCut is the length of the copy in rsyslog's brackets: %.800s.
	repeatCut = 800

	maxHosts  = 16
	maxRecord = 8 << 10 // bytes of a record that are remembered
)

// history keeps the last record of each host, which "last message repeated"
// means. It is bounded: the host that was added first makes room.
type history struct {
	hosts []previous
	cur   int          // index of the last record's host
	next  int          // to be replaced
	tags  [64]struct { // where the host of a tag is, by the tag's last digits
		tag uint32
		at  int
	}
}

type previous struct {
	host          []byte
	program, text string
	memory        []byte // of program and text, once they are kept
	kept          bool
	pid           int32
	known         bool
}

// keep copies what aliases a line.
func (p *previous) keep() {
	if p.kept || !p.known {
		return
	}
	p.memory = append(append(p.memory[:0], p.program...), p.text...)
	all := unsafe.String(unsafe.SliceData(p.memory), len(p.memory))
	p.program, p.text, p.kept = all[:len(p.program)], all[len(p.program):], true
}

// keep copies what aliases lines. Most lines have been followed by others of their
// host by then, so that few are copied.
func (h *history) keep() {
	for i := range h.hosts {
		h.hosts[i].keep()
	}
}

// at returns the entry of host, nil when there is none.
func (h *history) at(host string) *previous {
	if h.cur < len(h.hosts) && string(h.hosts[h.cur].host) == host {
		return &h.hosts[h.cur]
	}
	for i := range h.hosts {
		if string(h.hosts[i].host) == host {
			h.cur = i
			return &h.hosts[i]
		}
	}
	return nil
}

// lastHost is the one of the last record.
func (h *history) lastHost() string {
	if h.cur >= len(h.hosts) {
		return ""
	}
	return string(h.hosts[h.cur].host)
}

// remember takes in a record whose texts stay as they are until keep, if they are
// lasting, and otherwise change with the next line.
func (h *history) remember(env *relaylens.Envelope, lasting bool) {
	p := h.entry(env)
	p.known = len(env.Program)+len(env.Text) <= maxRecord
	p.program, p.text, p.pid, p.kept = env.Program, env.Text, env.PID, false
	if !p.known {
		p.program, p.text = "", ""
	} else if !lasting {
		p.keep()
	}
}

// entry is the one of env's host.
func (h *history) entry(env *relaylens.Envelope) *previous {
	t := &h.tags[env.Tag%uint32(len(h.tags))]
	if env.Tag != 0 && t.tag == env.Tag {
		return &h.hosts[t.at]
	}
	p := h.at(env.Host)
	if p == nil {
		p = h.add(env.Host)
	}
	t.tag, t.at = env.Tag, h.cur
	return p
}

func (h *history) add(host string) *previous {
	clear(h.tags[:])
	if len(h.hosts) < maxHosts {
		h.cur = len(h.hosts)
		h.hosts = append(h.hosts, previous{})
	} else {
		h.cur = h.next
		h.next = (h.next + 1) % maxHosts
	}
	p := &h.hosts[h.cur]
	p.host = append(p.host[:0], host...)
	return p
}

// forget says that the last line of host cannot be repeated from memory.
func (h *history) forget(host string) {
	if p := h.at(host); p != nil {
		p.known = false
	}
}

// repeatLast makes of "last message repeated 3 times" the record it means. It
// is left as it is when that is not known.
func (d *Decoder) repeatLast(env *relaylens.Envelope) {
	n, rest, ok := cutCount(env.Text[len(lastRepeated):])
	if !ok || rest != "" {
		return
	}
	p := d.previous.at(env.Host)
	if p == nil || !p.known {
		return
	}
	env.Repeat, env.PID = n, p.pid
	env.Program, env.Text = strings.Clone(p.program), strings.Clone(p.text)
}

// repeat unpacks "message repeated 3 times: [ text]". A copy that was cut is
// completed from the record itself, where that is known.
func (d *Decoder) repeat(env *relaylens.Envelope) {
	n, text, ok := cutCount(env.Text[len(repeated):])
	if !ok {
		return
	}
	if text, ok = strings.CutPrefix(text, ": ["); !ok {
		return
	}
	text = strings.TrimSuffix(text, "]")
	whole := len(text) < repeatCut
	env.Repeat, env.Text = n, strings.TrimPrefix(text, " ")
	if whole {
		return
	}
	p := d.previous.at(env.Host)
	if p != nil && p.known && p.pid == env.PID && p.program == env.Program && strings.HasPrefix(p.text, env.Text) {
		env.Text = strings.Clone(p.text)
	}
}

// cutCount reads "3 times", or "1 time".
func cutCount(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < 9 && digit(s[i]) {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if rest, ok = strings.CutPrefix(s[i:], " time"); !ok || n == 0 {
		return 0, "", false
	}
	return n, strings.TrimPrefix(rest, "s"), true
}
