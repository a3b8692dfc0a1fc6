package app

import (
	"fmt"

	"github.com/relaylens/relaylens"
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
