package app

import (
	"fmt"
	"net/netip"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/parsers"
)

// ParserOptions says what a configuration asks of the parser.
func ParserOptions(cfg *config.Config) (parsers.Options, error) {
	location, err := cfg.Location()
	if err != nil {
		return parsers.Options{}, fmt.Errorf("timezone %q: %w", cfg.Timezone, err)
	}
	o := parsers.Options{Location: location, Texts: make(map[relaylens.MTA]relaylens.Texts), Limits: parsers.DefaultLimits()}
	o.Limits.Sessions = cfg.Correlator.MaxEntries
	o.Limits.Messages = cfg.Correlator.MaxEntries
	o.Limits.Bytes = int64(cfg.Correlator.MaxBytes)
	for _, mta := range relaylens.MTAs() {
		if o.Texts[mta], err = cfg.Parsers.Of(mta); err != nil {
			return parsers.Options{}, fmt.Errorf("parsers.%s: %w", mta, err)
		}
	}
	return o, nil
}

// SiteOf is what the configuration states of the owner's domains and networks.
func SiteOf(cfg *config.Config) (classifier.Site, error) {
	site := classifier.Site{Domains: cfg.LocalDomains}
	for _, list := range []struct {
		key  string
		from []string
		to   *[]netip.Prefix
	}{{"local_networks", cfg.LocalNetworks, &site.Networks}, {"trusted_monitors", cfg.TrustedMonitors, &site.Monitors}} {
		for _, text := range list.from {
			p, err := config.ParseNetwork(text)
			if err != nil {
				return site, fmt.Errorf("%s: %w", list.key, err)
			}
			*list.to = append(*list.to, p)
		}
	}
	return site, nil
}
