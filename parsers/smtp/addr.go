package smtp

import (
	"net/netip"
	"strings"
)

// ParseIP reads a client address as MTAs write it: dotted IPv4, IPv6 bare or
// with Sendmail's "IPv6:" tag, compressed or not, with or without a zone. A
// v4-mapped address becomes IPv4 and the zone is dropped, so that one client
// has one address.
func ParseIP(s string) (netip.Addr, bool) {
	if len(s) > 5 && (s[0] == 'I' || s[0] == 'i') && strings.EqualFold(s[:5], "IPv6:") {
		s = s[5:]
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// ParsePort reads a decimal port; 0 when s is none.
func ParsePort(s string) uint16 {
	if s == "" || len(s) > 5 {
		return 0
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	if n > 0xffff {
		return 0
	}
	return uint16(n)
}
