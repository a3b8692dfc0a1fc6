package parsertest

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
)

// derived reports a value that does not stand in the line, be it as logged or
// with the escapes of the log undone.
func derived(env *relaylens.Envelope, rec *relaylens.Record) error {
	e := &rec.Event
	undone := Undo(env.Text)
	for _, f := range []struct{ name, value string }{
		{"service", e.Service}, {"queue_id", e.QueueID}, {"client_name", e.ClientName}, {"helo", e.Helo}, {"proto", e.Proto},
		{"user", e.User}, {"auth_method", e.AuthMethod}, {"sender", e.Sender}, {"recipient", e.Recipient},
		{"enhanced", e.Enhanced}, {"text", e.Text}, {"remote_host", e.RemoteHost}, {"child", rec.Child},
	} {
		if f.name == "remote_host" && (f.value == relaylens.Disk || f.value == relaylens.Configuration || f.value == relaylens.Certificate || f.value == relaylens.Capacity) {
			continue // words for what the server calls otherwise
		}
		if f.name == "remote_host" {
			f.value = strings.TrimPrefix(f.value, relaylens.Configuration+":")
			f.value = strings.TrimPrefix(f.value, relaylens.Store)
			if name, ok := strings.CutPrefix(f.value, relaylens.Service); ok {
				if f.value = name; strings.HasSuffix(env.Program, name) || name == "exim" {
					continue
				}
			}
		}
		if !strings.Contains(env.Text, f.value) && !strings.Contains(undone, f.value) && !strings.Contains(env.Program, f.value) {
			return fmt.Errorf("%s %q does not stand in the line %q", f.name, f.value, env.Text)
		}
	}
	for _, a := range []netip.Addr{e.ClientIP, e.RemoteIP} {
		if a.IsValid() && !standsIn(env.Text, a) {
			return fmt.Errorf("address %s does not stand in the line %q", a, env.Text)
		}
	}
	return nil
}

// standsIn reports whether text spells a, in whatever form.
func standsIn(text string, a netip.Addr) bool {
	words := strings.FieldsFunc(strings.ReplaceAll(strings.ToLower(text), "ipv6:", " "), func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'f') && r != ':' && r != '.'
	})
	for _, w := range words {
		// A port or the punctuation of the sentence may follow.
		for ; w != ""; w = w[:len(w)-1] {
			if b, err := netip.ParseAddr(w); err == nil && b.Unmap() == a {
				return true
			}
		}
	}
	return false
}

// Undo undoes the escapes that logs use: a doubled backslash, \t \n \r and the
// like, \ooo.
func Undo(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if at := strings.IndexByte("abfnrtv", text[i]); at >= 0 {
			b.WriteByte("\a\b\f\n\r\t\v"[at])
			continue
		}
		n, v := 0, 0
		for n < 3 && i+n < len(text) && text[i+n] >= '0' && text[i+n] <= '7' {
			v = v<<3 | int(text[i+n]-'0')
			n++
		}
		if n == 3 && v < 256 {
			b.WriteByte(byte(v))
			i += 2
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
