package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// site checks what is stated of the owner's domains and networks.
func (k *checker) site(c *Config) {
	for i, domain := range c.LocalDomains {
		if name := strings.TrimPrefix(domain, "."); !strings.Contains(name, ".") || strings.ContainsAny(name, "@*/ ") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
			k.refuse(fmt.Sprintf("local_domains[%d]", i), quote(domain)+" is no domain", "write a name such as example.com, or .example.com for all names below it")
		}
	}
	k.networks("local_networks", c.LocalNetworks)
	k.networks("trusted_monitors", c.TrustedMonitors)
}

func (k *checker) networks(key string, networks []string) {
	for i, text := range networks {
		if _, err := ParseNetwork(text); err != nil {
			k.refuse(fmt.Sprintf("%s[%d]", key, i), err.Error(), "write an address or a network such as 192.0.2.0/24 or 2001:db8::/32")
		}
	}
}

// ParseNetwork reads a network, or an address as a network of its own. A network
// with bits set behind its prefix is a mistake.
func ParseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%s is neither an address nor a network", quote(s))
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%s has bits set behind its prefix; the network is %s", quote(s), p.Masked())
	}
	return p, nil
}
