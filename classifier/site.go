package classifier

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
)

// Site is what the owner of the servers states, and logs cannot tell or tell
// late. The zero value states nothing.
type Site struct {
	// Domains are ours. One with a leading dot stands for all names below it.
	Domains []string
	// Networks are ours: who sends from there without a login is a machine of the
	// house, whatever its address looks like.
	Networks []netip.Prefix
	// Monitors are our own tests: what they are refused is as it should be, and
	// tells nothing of others.
	Monitors []netip.Prefix
}

// Option is a choice for [New].
type Option func(*Classifier)

// WithSite makes a classifier that knows its site.
func WithSite(s Site) Option { return func(c *Classifier) { c.SetSite(s) } }

// SetSite takes the place of what was stated before.
func (c *Classifier) SetSite(s Site) {
	stated := site{domains: map[string]bool{}, networks: s.Networks, monitors: s.Monitors}
	for _, d := range s.Domains {
		stated.domains[strings.ToLower(d)] = true
	}
	c.history.site = stated
}

// site is a Site that is quick to ask.
type site struct {
	domains  map[string]bool // ".example.com" is everything below
	networks []netip.Prefix
	monitors []netip.Prefix
}

// has reports whether a domain is stated to be ours.
func (s *site) has(domain string) bool {
	if len(s.domains) == 0 {
		return false
	}
	if s.domains[domain] {
		return true
	}
	for i := range len(domain) {
		if domain[i] == '.' && s.domains[domain[i:]] {
			return true
		}
	}
	return false
}

// internal reports whether an address is of the house.
func (s *site) internal(a netip.Addr) bool {
	return internal(a) || len(s.networks) > 0 && within(a, s.networks)
}

// internal reports whether an address can only be of a house, whosever.
func internal(a netip.Addr) bool {
	if a.Is4() && !privateFirst[a.As4()[0]] {
		return false
	}
	return within(a, private)
}

// privateFirst are the first numbers of IPv4 addresses that may be in private.
var privateFirst = func() (list [256]bool) {
	for _, p := range private {
		if a := p.Masked().Addr(); a.Is4() {
			for i := range 1 << max(0, 8-p.Bits()) {
				list[int(a.As4()[0])+i] = true
			}
		}
	}
	return list
}()

// isMonitor reports whether an event is one of our own tests.
func (s *site) isMonitor(e *relaylens.Event) bool {
	return len(s.monitors) > 0 && e.Direction == relaylens.Inbound && within(e.ClientIP, s.monitors)
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	a = a.Unmap().WithZone("")
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
