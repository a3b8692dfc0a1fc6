package doctor

import (
	"net/netip"
	"strings"
)

// networks are addresses that may do something.
type networks struct {
	in, out []netip.Prefix
	// unread names tables and host names whose addresses are not known.
	unread []string
}

// add takes in an item of a list: 10.0.0.0/8, [::1]/128, 192.0.2.1; a leading !
// excludes it.
func (n *networks) add(item string) bool {
	item, not := cutNot(item)
	p, ok := parsePrefix(item)
	if !ok {
		return false
	}
	if not {
		n.out = append(n.out, p)
	} else {
		n.in = append(n.in, p)
	}
	return true
}

func cutNot(item string) (rest string, not bool) {
	rest, not = strings.CutPrefix(item, "!")
	return strings.TrimSpace(rest), not
}

func parsePrefix(s string) (netip.Prefix, bool) {
	s = strings.NewReplacer("[", "", "]", "").Replace(s)
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// has reports whether an address is in the networks.
func (n *networks) has(a netip.Addr) Truth {
	a = a.Unmap().WithZone("")
	for _, p := range n.out {
		if p.Contains(a) {
			return No
		}
	}
	for _, p := range n.in {
		if p.Contains(a) {
			return Yes
		}
	}
	if len(n.unread) > 0 {
		return Unknown
	}
	return No
}

// own are networks that no stranger can be in.
var own = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// Larger public networks than these have strangers in them: few owners have a
// whole /16, or more IPv6 than a provider gives to a customer.
const (
	widestIPv4 = 16
	widestIPv6 = 32
)

// tooWide lists the networks that have strangers in them.
func (n *networks) tooWide() []netip.Prefix {
	var wide []netip.Prefix
	for _, p := range n.in {
		if isWide(p) {
			wide = append(wide, p)
		}
	}
	return wide
}

func isWide(p netip.Prefix) bool {
	for _, o := range own {
		if o.Bits() <= p.Bits() && o.Contains(p.Addr()) {
			return false
		}
	}
	if p.Addr().Is4() {
		return p.Bits() <= widestIPv4
	}
	return p.Bits() <= widestIPv6
}

// everybody reports whether the networks have all of IPv4 or IPv6 in them.
func (n *networks) everybody() bool {
	var halves int
	for _, p := range n.in {
		switch p.Bits() {
		case 0:
			return true
		case 1:
			halves++
		}
	}
	return halves > 1
}
