package app

import (
	"fmt"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/parsers"
)

// ParserOptions says what a configuration asks of the parser.
func ParserOptions(cfg *config.Config) (parsers.Options, error) {
	location, err := Location(cfg.Timezone)
	if err != nil {
		return parsers.Options{}, err
	}
	o := parsers.Options{Location: location, Texts: make(map[relaylens.MTA]relaylens.Texts), Limits: parsers.DefaultLimits()}
	o.Limits.Sessions = cfg.Correlator.MaxEntries
	o.Limits.Messages = cfg.Correlator.MaxEntries
	o.Limits.Bytes = int64(cfg.Correlator.MaxBytes)
	for _, t := range []struct {
		mta   relaylens.MTA
		texts config.Texts
	}{
		{relaylens.Postfix, cfg.Parsers.Postfix},
		{relaylens.Exim, cfg.Parsers.Exim},
		{relaylens.Sendmail, cfg.Parsers.Sendmail},
	} {
		var texts relaylens.Texts
		if texts.RelayDenied, err = relaylens.NewPhrases(t.texts.RelayDenied); err != nil {
			return parsers.Options{}, fmt.Errorf("parsers.%s.relay_denied: %w", t.mta, err)
		}
		if texts.SenderVerify, err = relaylens.NewPhrases(t.texts.SenderVerify); err != nil {
			return parsers.Options{}, fmt.Errorf("parsers.%s.sender_verify: %w", t.mta, err)
		}
		o.Texts[t.mta] = texts
	}
	return o, nil
}

// Location is the zone that a configuration names; "local" is the machine's.
func Location(name string) (*time.Location, error) {
	if name == "local" || name == "" {
		return time.Local, nil
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("timezone %q: %w; name one of the IANA database, UTC, or local", name, err)
	}
	return location, nil
}
