package exim

import "strings"

// recent are the fields that arrivals had last before the login or the size: what a
// server writes of protocol and encryption is the same in many lines, and is not read
// again. It changes nothing of what is read, and is used by one goroutine.
type recent [16]run

// run is some fields, each with an end that nothing behind it changes.
type run struct {
	text  [120]byte
	n     uint8
	proto uint8 // where the value of P= ends, with which the run begins
}

const protoMark = " P="

// tokens is cutTokens without hold.
func (r *recent) tokens(s string) (t tokens, rest string) {
	const enough = 32 // to tell runs apart
	if r == nil || len(s) < enough {
		return cutTokens(s, false)
	}
	run := &r[(s[9]+s[17]+s[25]+s[31])%byte(len(r))]
	if n := int(run.n); n > 0 && n < len(s) && s[n] == ' ' && s[:n] == string(run.text[:n]) {
		t.proto = s[len(protoMark):run.proto]
		rest = t.cut(s[n:], false)
		return t, rest
	}
	run.remember(s)
	return cutTokens(s, false)
}

// remember takes in what s begins with, if it is a run.
func (r *run) remember(s string) {
	r.n = 0
	if !strings.HasPrefix(s, protoMark) {
		return
	}
	n := strings.Index(s, " S=")
	if login := strings.Index(s[:max(n, 0)], " A="); login >= 0 {
		n = login
	}
	if n < 0 || n > len(r.text) {
		return
	}
	t, rest := cutTokens(s[:n], false)
	if rest == "" && !t.ident && !t.doubted && t.auth == "" {
		r.n, r.proto = uint8(copy(r.text[:], s[:n])), uint8(len(protoMark)+len(t.proto))
	}
}
