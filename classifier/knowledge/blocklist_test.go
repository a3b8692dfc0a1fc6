package knowledge

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestBlocklists(t *testing.T) {
	for zone, want := range map[string]string{
		"relays.ordb.org": "2006-12", "RELAYS.ORDB.ORG.": "2006-12", "dul.dnsbl.sorbs.net": "2024-06", "zen.spamhaus.org": "", "notsorbs.net": "",
	} {
		if d, _ := DeadBlocklist(zone); d.Since != want {
			t.Errorf("%s ended %q, want %q", zone, d.Since, want)
		}
	}
	for _, d := range load().Blocklists.Dead {
		if _, err := time.Parse("2006-01", d.Since); err != nil || d.Means == "" || d.Zone != strings.ToLower(d.Zone) {
			t.Errorf("%+v: %v", d, err)
		}
	}
	for _, b := range Blocklists() {
		if _, dead := DeadBlocklist(b.Zone); dead || b.Removal == "" {
			t.Errorf("%s is dead, or nobody gets off it", b.Zone)
		}
		for _, answers := range []map[string]string{b.Answers, b.Errors} {
			for a, means := range answers {
				if ip, err := netip.ParseAddr(a); err != nil || !ip.IsLoopback() || means == "" {
					t.Errorf("%s: answer %s: %q", b.Zone, a, means)
				}
			}
		}
	}
}
