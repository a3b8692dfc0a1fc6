package main

import (
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/app"
)

// siteFlags state what is ours, for questions over FILEs.
type siteFlags struct{ domains, networks, monitors []string }

func (o *siteFlags) addFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.domains, "local-domain", nil, "`DOMAIN` of the servers that wrote FILEs (repeatable; .DOMAIN is all below it)")
	f.StringSliceVar(&o.networks, "local-network", nil, "`NETWORK` of their own machines, beside the private ones (repeatable)")
	f.StringSliceVar(&o.monitors, "trusted-monitor", nil, "address or `NETWORK` that tests them on their owner's behalf (repeatable)")
}

// site is what the flags state, and the configuration, if one is named.
func (o *siteFlags) site(file string) (classifier.Site, error) {
	cfg := config.Default()
	if file != "" {
		var err error
		if cfg, err = config.Load(config.LoadOptions{File: file}); err != nil {
			return classifier.Site{}, err
		}
	}
	cfg.LocalDomains = append(cfg.LocalDomains, o.domains...)
	cfg.LocalNetworks = append(cfg.LocalNetworks, o.networks...)
	cfg.TrustedMonitors = append(cfg.TrustedMonitors, o.monitors...)
	if err := cfg.Validate(); err != nil {
		return classifier.Site{}, usageError{err}
	}
	return app.SiteOf(cfg)
}
