package relaylens

import "testing"

// TestBlocklist has texts of Postfix, Exim and Sendmail, and what clients put into them.
func TestBlocklist(t *testing.T) {
	for text, want := range map[string][2]string{
		"Service unavailable; Client host [203.0.113.9] blocked using bl.example.org; Error: open resolver; https://bl.example.org/x": {"bl.example.org", "; Error: open resolver; https://bl.example.org/x"},
		"Service unavailable; client [203.0.113.9] blocked using bl.example.org":                                                      {"bl.example.org", ""},
		`Service unavailable; Sender address ["a blocked using evil.example"@x.example] blocked using dbl.example.org; no`:            {"dbl.example.org", "; no"},
		"203.0.113.9 is listed at bl.example.org (127.255.255.254: Error)":                                                            {"bl.example.org", " (127.255.255.254: Error)"},
		"found in bl.example.org: why":                                {"bl.example.org", ": why"},
		"X-Warning: 203.0.113.9 is in a black list at bl.example.org": {"bl.example.org", ""},
		"Rejected: 203.0.113.9 listed at bl.example.org":              {"bl.example.org", ""},
		"Email blocked using bl.example.org.":                         {"bl.example.org", ""},
		"found in translation":                                        {},
		"Spam blocked see: http://bl.example.org/203.0.113.9":         {},
		"": {},
	} {
		t.Run(text, func(t *testing.T) {
			zone, said := Blocklist(&Event{Reason: ReasonDNSBL, Text: text})
			if zone != want[0] || said != want[1] {
				t.Errorf("zone %q, said %q, want %q", zone, said, want)
			}
			if zone, _ = Blocklist(&Event{Reason: ReasonContent, Text: text}); zone != "" {
				t.Errorf("of another reason: %q", zone)
			}
		})
	}
}
