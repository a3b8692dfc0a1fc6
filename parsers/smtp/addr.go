package smtp

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens/internal/swar"
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
	var b [20]byte // so that four bytes can be looked at wherever a field begins
	if n := len(s) - 8; n >= 0 {
		binary.LittleEndian.PutUint64(b[:], swar.At(s, 0))
		binary.LittleEndian.PutUint64(b[n:], swar.At(s, n))
	} else {
		copy(b[:], s)
	}
	b[len(s)] = '.' // as behind the other fields
	const zeros, dot = '0' * 0x01010101, '.' ^ '0'
	var quad [4]byte
	i := 0
	for field := range quad {
		four := binary.LittleEndian.Uint32(b[i&15:]) ^ zeros
		x, y, z := four&0xff, four>>8&0xff, four>>16&0xff
		switch {
		case x > 9:
			return a, false
		case y == dot:
			i += 2
		case x == 0 || y > 9: // a zero in front
			return a, false
		case z == dot:
			x = x*10 + y
			i += 3
		case z > 9 || four>>24 != dot:
			return a, false
		default:
			if x = x*100 + y*10 + z; x > 255 {
				return a, false
			}
			i += 4
		}
		quad[field] = byte(x)
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
