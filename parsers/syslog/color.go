package syslog

import "strings"

// escape begins what sets colours on a terminal: ECMA-48, "ESC [ 0;1;39 m".
const escape = 0x1b

// uncolored is s without what sets colours, as ccze, journalctl with SYSTEMD_COLORS and
// grep --color put it between the words of a line. Other sequences stay: they are a
// client's, and what is left of a line is never more than it could have written by itself.
func (d *Decoder) uncolored(s string) string {
	at := strings.IndexByte(s, escape)
	if at < 0 {
		return s
	}
	b := d.scratch
	start := len(b)
	for ; at >= 0; at = strings.IndexByte(s, escape) {
		n := colorLength(s[at:])
		b = append(b, s[:at]...)
		if n == 0 {
			b, n = append(b, escape), 1
		}
		s = s[at+n:]
	}
	b = append(b, s...)
	d.scratch = b
	return alias(b[start:])
}

// colorLength is the length of the sequence that s begins with, if it sets a colour or, as
// grep's, clears the rest of the line.
func colorLength(s string) int {
	if len(s) < 3 || s[1] != '[' {
		return 0
	}
	i := 2
	for i < len(s) && (digit(s[i]) || s[i] == ';' || s[i] == ':') {
		i++
	}
	if i == len(s) || s[i] != 'm' && s[i] != 'K' {
		return 0
	}
	return i + 1
}
