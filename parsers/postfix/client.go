package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// noQueue stands where a line belongs to no message.
const noQueue = "NOQUEUE"

// cutID splits "4F1A2B3C: …" or "NOQUEUE: …".
//
// Source: global/mail_queue.h. Short ids are upper-case hexadecimal; long ones
// are base 52 without vowels: ten digits of the time, which may be z as well,
// then a z and the inode in base 51.
func cutID(text string) (id, rest string, ok bool) {
	i := strings.IndexByte(text, ':')
	if i < 6 || i+2 > len(text) || text[i+1] != ' ' {
		return "", text, false
	}
	id = text[:i]
	if id != noQueue && !queueID(id) {
		return "", text, false
	}
	return id, text[i+2:], true
}

// idChar tells the characters of a queue id: 1 hexadecimal digit, 2 base 52.
var idChar = func() (t [256]byte) {
	for _, c := range "0123456789ABCDEF" {
		t[c] |= 1
	}
	for _, c := range "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz" {
		t[c] |= 2
	}
	return t
}()

func queueID(id string) bool {
	if len(id) < 6 || len(id) > 64 {
		return false
	}
	both, rest := byte(3), id
	for ; len(rest) >= 4; rest = rest[4:] {
		both &= idChar[rest[0]] & idChar[rest[1]] & idChar[rest[2]] & idChar[rest[3]]
	}
	for i := range len(rest) {
		both &= idChar[rest[i]]
	}
	return both&1 != 0 || both&2 != 0 && len(id) >= 12 && strings.LastIndexByte(id, 'z') >= 10
}

// cutClient reads {name}[{addr}]⟦:{port}⟧ from the start of s into ev. The name
// is one that resolved both ways, or "unknown"; it holds no punctuation, so that
// nothing the client chose comes before the address.
//
// Source: smtpd/smtpd_peer.c, smtpd/smtpd.c SMTPD_BUILD_NAMADDRPORT.
func cutClient(s string, ev *relaylens.Event) (rest string, ok bool) {
	open := strings.IndexByte(s, '[')
	if open <= 0 || !hostName(s[:open]) {
		return s, false
	}
	name := s[:open]
	rest, ok = cutBracketed(s[open:], ev)
	if ok && name != "unknown" {
		ev.ClientName = name
	}
	return rest, ok
}

// cutBracketed reads [{addr}]⟦:{port}⟧, postscreen's form of a client.
func cutBracketed(s string, ev *relaylens.Event) (rest string, ok bool) {
	if s == "" || s[0] != '[' {
		return s, false
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return s, false
	}
	addr := s[1:end]
	ip, ok := smtp.ParseIP(addr)
	if !ok && addr != "unknown" {
		return s, false
	}
	ev.ClientIP = ip
	return cutPort(s[end+1:], ev), true
}

// cutPort reads ⟦:{port}⟧.
func cutPort(s string, ev *relaylens.Event) (rest string) {
	if len(s) < 2 || s[0] != ':' || s[1] == ' ' {
		return s
	}
	n := 1
	for n < len(s) && hostChar[s[n]] != 0 {
		n++
	}
	ev.ClientPort = smtp.ParsePort(s[1:n])
	return s[n:]
}

// cutHost reads {host}[{addr}]⟦:{port}⟧ of a remote server; addr may be the
// path of a socket.
func cutHost(s string, ev *relaylens.Event) (rest string, ok bool) {
	open := strings.IndexByte(s, '[')
	if open <= 0 || strings.IndexByte(s[:open], ' ') >= 0 {
		return s, false
	}
	end := strings.IndexByte(s[open:], ']')
	if end < 0 {
		return s, false
	}
	end += open
	ev.RemoteHost = s[:open]
	ev.RemoteIP, _ = smtp.ParseIP(s[open+1 : end])
	rest = s[end+1:]
	if len(rest) > 1 && rest[0] == ':' && rest[1] >= '0' && rest[1] <= '9' {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		rest = rest[n:]
	}
	return rest, true
}

// hostName reports whether s has nothing but characters of host names.
func hostName(s string) bool {
	all := byte(1)
	for ; len(s) >= 4; s = s[4:] {
		all &= hostChar[s[0]] & hostChar[s[1]] & hostChar[s[2]] & hostChar[s[3]]
	}
	for i := range len(s) {
		all &= hostChar[s[i]]
	}
	return all != 0
}

// hostChar is 1 of the characters of host names.
var hostChar = func() (t [256]byte) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-" {
		t[c] = 1
	}
	return t
}()

// stageOf maps the WHERE of a smtpd line. ok is false when it is none.
//
// Source: smtpd/smtpd.c, smtpd_cmd_table and the SMTPD_AFTER_ names.
func stageOf(where string) (stage relaylens.Stage, ok bool) {
	switch where {
	case "RCPT":
		return relaylens.StageRcpt, true
	case "MAIL":
		return relaylens.StageMail, true
	case "CONNECT":
		return relaylens.StageConnect, true
	case "HELO", "EHLO", "STARTTLS":
		return relaylens.StageHelo, true
	case "AUTH":
		return relaylens.StageAuth, true
	case "DATA", "BDAT":
		return relaylens.StageData, true
	case "END-OF-MESSAGE", "DATA content", "BDAT content":
		return relaylens.StageEOD, true
	case "VRFY", "EXPN":
		return relaylens.StageVrfy, true
	case "ETRN":
		return relaylens.StageEtrn, true
	case "RSET", "NOOP", "QUIT", "XCLIENT", "XFORWARD", "HELP", "UNKNOWN":
		return relaylens.StageNone, true
	}
	return relaylens.StageNone, false
}
