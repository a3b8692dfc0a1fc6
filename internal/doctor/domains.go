package doctor

import "strings"

// domains are those of one class: local, relayed to, and so on.
type domains struct {
	setting string
	names   []string // lower case
	below   []string // these and everything below them
	under   []string // everything below these, but not they themselves
	not     []string // excluded
	all     bool     // every domain there is
	unread  []string // tables that cannot be read
}

// has reports whether a domain is in the class.
func (d *domains) has(domain string) Truth {
	for _, n := range d.not {
		if n == domain {
			return No
		}
	}
	if d.all {
		return Yes
	}
	for _, n := range d.names {
		if n == domain {
			return Yes
		}
	}
	for _, n := range d.below {
		if n == domain || strings.HasSuffix(domain, "."+n) {
			return Yes
		}
	}
	for _, n := range d.under {
		if strings.HasSuffix(domain, "."+n) {
			return Yes
		}
	}
	if len(d.unread) > 0 {
		return Unknown
	}
	return No
}

// both lists the domains that two classes name.
func (d *domains) both(other *domains) []string {
	var both []string
	for _, n := range append(append([]string{}, d.names...), d.below...) {
		for _, m := range append(append([]string{}, other.names...), other.below...) {
			if n == m {
				both = append(both, n)
			}
		}
	}
	return both
}
