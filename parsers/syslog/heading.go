package syslog

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"

	"github.com/relaylens/relaylens"
)

// headings remembers how lines began. A log has a few hosts with a few programs
// each, so what stands before the pid has mostly been read before.
type headings struct {
	list [maxHeadings]heading
	tags uint32 // so many were given
}

// heading is what stood before the pid of a line: "mx1 postfix/smtpd[".
type heading struct {
	text, host, program string
	tag                 uint32 // no other heading of the source ever has it
}

const (
	maxHeadings = 2 * 64
	// Shorter headings have too little to tell them apart by, longer ones are rare.
	minHeading, maxHeading = 8, 80
)

// find returns the number of the heading that s begins with; ok is false when it
// is not remembered, or there is none.
func (h *headings) find(s string) (n int, ok bool) {
	bracket := strings.IndexByte(s[:min(len(s), maxHeading)], '[')
	if bracket < minHeading {
		return 0, false
	}
	text := s[:bracket+1]
	for n = numberOf(text); ; n ^= 1 {
		if h.list[n].text == text {
			return n, true
		} else if n&1 != 0 {
			return 0, false
		}
	}
}

// numberOf says where a heading has its place, there or one further, by both ends of
// it: what differs is the host in front and the program behind.
func numberOf(text string) int {
	x := load(text) ^ bits.RotateLeft64(load(text[len(text)-8:]), 29) ^ uint64(len(text))
	return int(x*0x9e3779b97f4a7c15>>(64-6)) * 2
}

// load is the first eight bytes of s, which has as many.
func load(s string) uint64 {
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// remember keeps what was read of the beginning of s, if all of it stands before
// the first bracket: then it says the same of every line that begins like that.
func (h *headings) remember(s string, env *relaylens.Envelope) {
	bracket := strings.IndexByte(s, '[')
	space := len(env.Host)
	if bracket < minHeading || bracket >= maxHeading || env.PID == 0 || space == 0 || space+1+len(env.Program) != bracket ||
		s[:space] != env.Host || s[space] != ' ' || s[space+1:bracket] != env.Program {
		return
	}
	text := strings.Clone(s[:bracket+1])
	n := numberOf(text)
	h.tags++
	h.list[n], h.list[n+1] = heading{text, text[:space], text[space+1 : bracket], h.tags}, h.list[n]
}

// header reads "host tag[pid]: text".
func (d *Decoder) header(s string, env *relaylens.Envelope) {
	if n, ok := d.headings.find(s); ok {
		known := &d.headings.list[n]
		if pid, end, told := cutPID(s, len(known.text)-1); told {
			env.Tag = known.tag
			env.Host, env.Program, env.PID, env.Text = known.host, known.program, pid, trimMessage(s[end:])
			return
		}
	}
	header(s, env)
	d.headings.remember(s, env)
}
