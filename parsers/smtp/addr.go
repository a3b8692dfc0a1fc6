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
	if a, ok := parseIPv4(s); ok {
		return a, true
	}
	if strings.IndexByte(s, ':') < 0 {
		return netip.Addr{}, false // an error would cost memory, and sockets and names are no rare sight
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// parseIPv4 reads what nearly all addresses are, in a fraction of the time that
// [netip.ParseAddr] takes to tell what is wrong with others.
func parseIPv4(s string) (a netip.Addr, ok bool) {
	if len(s) < len("0.0.0.0") || len(s) > len("255.255.255.255") {
		return a, false
	}
	var b [16]byte // so that three digits can be looked at wherever a field begins
	copy(b[:], s)
	var quad [4]byte
	i := 0
	for field := range quad {
		x, y, z := b[i&15]-'0', b[(i+1)&15]-'0', b[(i+2)&15]-'0'
		n := uint32(x)
		switch {
		case x > 9:
			return a, false
		case y > 9:
			i++
		case x == 0:
			return a, false // a zero in front
		case z > 9:
			n = n*10 + uint32(y)
			i += 2
		default:
			n = n*100 + uint32(y)*10 + uint32(z)
			i += 3
		}
		if n > 255 || field < 3 && b[i&15] != '.' {
			return a, false
		}
		quad[field] = byte(n)
		i++
	}
	return netip.AddrFrom4(quad), i == len(s)+1
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
