package smtp

import (
	"net/netip"
	"testing"
)

func TestParseIP(t *testing.T) {
	tests := map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8::5": "2001:db8::5", "IPv6:2001:db8:0:0:0:0:0:5": "2001:db8::5",
		"ipv6:2001:db8::5": "2001:db8::5", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1",
		"": "", "unknown": "", "192.0.2": "", "192.0.2.1:25": "", "IPv6:": "", "IPv6:192.0.2.1": "192.0.2.1", "[192.0.2.1]": "",
	}
	for in, want := range tests {
		t.Run(in, func(t *testing.T) {
			got, ok := ParseIP(in)
			if ok != (want != "") || ok && got.String() != want {
				t.Errorf("got %v %v, want %q", got, ok, want)
			}
		})
	}
}

func TestParsePort(t *testing.T) {
	tests := map[string]uint16{"25": 25, "65535": 65535, "65536": 0, "": 0, "unknown": 0, "-1": 0, "123456": 0, "1 ": 0}
	for in, want := range tests {
		if got := ParsePort(in); got != want {
			t.Errorf("ParsePort(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestCutReply(t *testing.T) {
	tests := []struct {
		in             string
		code           uint16
		enhanced, text string
	}{
		{"554 5.7.1 no", 554, "5.7.1", "no"},
		{"550-5.7.1 a 550 5.7.1 b", 550, "5.7.1", "a 550 5.7.1 b"},
		{"550 no", 550, "", "no"},
		{"550", 550, "", ""},
		{"450 4.1.8", 450, "4.1.8", ""},
		{"550 5.1.10 x", 550, "5.1.10", "x"},
		{"550 5.1.1234 x", 550, "", "5.1.1234 x"},
		{"5501 x", 0, "", "5501 x"},
		{"bare <LF> received", 0, "", "bare <LF> received"},
		{"", 0, "", ""},
		{"650 x", 0, "", "650 x"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			code, enhanced, text := CutReply(tt.in)
			if code != tt.code || enhanced != tt.enhanced || text != tt.text {
				t.Errorf("got %d %q %q, want %d %q %q", code, enhanced, text, tt.code, tt.enhanced, tt.text)
			}
		})
	}
}

func TestCutPath(t *testing.T) {
	tests := []struct {
		in, address, rest string
		ok                bool
	}{
		{"<a@example.com> x", "a@example.com", " x", true},
		{"<>", "", "", true},
		{`<"a b>c"@example.com> to=`, `"a b>c"@example.com`, " to=", true},
		{`<"a\">b"@example.com>`, `"a\">b"@example.com`, "", true},
		{"<a@example.com", "", "<a@example.com", false},
		{"<a<b@example.com>", "", "<a<b@example.com>", false},
		{`<"a@example.com>`, "", `<"a@example.com>`, false},
		{"a@example.com", "", "a@example.com", false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			address, rest, ok := CutPath(tt.in)
			if address != tt.address || rest != tt.rest || ok != tt.ok {
				t.Errorf("got %q %q %v, want %q %q %v", address, rest, ok, tt.address, tt.rest, tt.ok)
			}
		})
	}
}

func TestCutSubject(t *testing.T) {
	tests := []struct {
		in, address, text string
		known             bool
	}{
		{"<a@example.com>: Relay access denied", "a@example.com", "Relay access denied", true},
		{"<a@example.com>... Relaying denied", "a@example.com", "Relaying denied", true},
		{"<x>: fake>: Relay access denied", "x>: fake", "Relay access denied", true},
		{"<x>: fake>: Relay access denied", "other", "Relay access denied", false},
		{"no subject", "a", "no subject", false},
		{"<unclosed", "a", "<unclosed", false},
	}
	for _, tt := range tests {
		t.Run(tt.in+" "+tt.address, func(t *testing.T) {
			text, known := CutSubject(tt.in, tt.address)
			if text != tt.text || known != tt.known {
				t.Errorf("got %q %v, want %q %v", text, known, tt.text, tt.known)
			}
		})
	}
}

func TestTrimPath(t *testing.T) {
	for in, want := range map[string]string{"<a>": "a", "<>": "", "a": "a", "<a": "<a", "a>": "a>", "": ""} {
		if got := TrimPath(in); got != want {
			t.Errorf("TrimPath(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever is no IPv4 address by net/netip is none here, and the other way round.
func TestParseIPv4LikeNetip(t *testing.T) {
	fields := []string{"", "0", "00", "7", "07", "10", "99", "100", "255", "256", "999", "1000", "a", "1a", "+1", " 1"}
	for _, a := range fields {
		for _, b := range fields {
			for _, s := range []string{a + "." + b + ".1.2", "1." + a + "." + b + ".2", "1.2." + a + "." + b, a + "." + b + ".1", "1.2.3.4." + a, a + "." + b} {
				got, ok := parseIPv4(s)
				want, err := netip.ParseAddr(s)
				if ok != (err == nil && want.Is4()) || ok && got != want {
					t.Fatalf("%q: %v, %t; want %v, %v", s, got, ok, want, err)
				}
			}
		}
	}
}
