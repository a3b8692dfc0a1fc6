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
	var all uint32
	i := 0
	for field := 0; i < len(s); field++ {
		n := uint32(s[i] - '0')
		if n > 9 {
			return a, false
		}
		if i++; i < len(s) && s[i]-'0' <= 9 {
			if n == 0 {
				return a, false // a zero in front
			}
			n = n*10 + uint32(s[i]-'0')
			if i++; i < len(s) && s[i]-'0' <= 9 {
				n = n*10 + uint32(s[i]-'0')
				i++
			}
		}
		if n > 255 {
			return a, false
		}
		all = all<<8 | n
		if field == 3 {
			return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), i == len(s)
		}
		if i == len(s) || s[i] != '.' {
			return a, false
		}
		i++
	}
	return a, false
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
