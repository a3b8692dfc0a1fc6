package relaylens

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Op is how a condition compares.
type Op uint8

const (
	OpEqual   Op = iota // the text is Condition.Text
	OpAbsent            // the log does not tell
	OpDomain            // the name is Condition.Text or below it
	OpRange             // the number is within Low and High, both included
	OpNetwork           // the address is in Condition.Network
)

// Condition is asked of one column: a field of [FieldNames], or the derived
// sender_domain or recipient_domain. Where it differs from the field that was
// asked for (code=5xx asks for the class), the column is what is compared.
type Condition struct {
	Column    string
	Op        Op
	Text      string
	Low, High int64 // numbers; for time, nanoseconds since 1970
	Network   netip.Prefix
}

// derived are the fields that matches and lists of values have beside those of
// an event.
var derived = []string{"sender_domain", "recipient_domain", "client_net"}

// MatchFields lists what a match can ask for.
func MatchFields() []string { return append(FieldNames(), derived...) }

// IsMatchField reports whether name is one of [MatchFields].
func IsMatchField(name string) bool {
	return slices.Contains(derived, name) || slices.ContainsFunc(fields, func(f field) bool { return f.name == name })
}

// FieldValues lists the values of a field that has a closed list of them, nil
// for others.
func FieldValues(field string) []string {
	switch field {
	case "mta":
		return namesOf(MTAs())
	case "kind":
		return namesOf(Kinds())
	case "direction":
		return namesOf(Directions())
	case "stage":
		return namesOf(Stages())
	case "reason":
		return namesOf(Reasons())
	case "cause":
		return namesOf(Causes())
	case "action":
		return namesOf(Actions())
	case "class":
		return namesOf(Classes())
	}
	return nil
}

func namesOf[T fmt.Stringer](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.String()
	}
	return names
}

// parseCondition reads one FIELD=VALUE. An empty value asks for events that do
// not have the field; sender= and sender=<> for those of the null sender.
func parseCondition(name, value string) (Condition, error) {
	if !IsMatchField(name) {
		return Condition{}, fmt.Errorf("unknown field %q%s", name, suggestion(name, MatchFields()))
	}
	c := Condition{Column: name, Text: ValidText(value)}
	switch name {
	case "client_net":
		c.Column = "client_ip"
	case "client_port", "pid", "line", "offset", "code":
		return c.number(value)
	case "time":
		return c.time(value)
	case "id":
		return c.id(value)
	case "sender": // an empty one is the null sender, as is <>, which is how it is written elsewhere
		if value == "<>" {
			c.Text = ""
		}
		return c, nil
	}
	if value == "" {
		c.Op = OpAbsent
		return c, nil
	}
	switch name {
	case "client_ip", "remote_ip":
		return c.network(name, value, false)
	case "client_net":
		return c.network(name, value, true)
	case "sender_domain", "recipient_domain":
		c.Text = ValidText(Domain("@" + value))
		return c.domain(), nil
	case "client_name", "remote_host", "helo", "host":
		return c.domain(), nil
	}
	if names := FieldValues(name); names != nil && !slices.Contains(names, value) {
		return c, fmt.Errorf("unknown %s %q%s", name, value, suggestion(value, names))
	}
	return c, nil
}

// domain reads ".example.com" as the domain and everything below it.
func (c Condition) domain() Condition {
	if rest, ok := strings.CutPrefix(c.Text, "."); ok && rest != "" {
		c.Op, c.Text = OpDomain, rest
	}
	return c
}

func (c Condition) number(value string) (Condition, error) {
	if value == "" {
		c.Op = OpAbsent
		return c, nil
	}
	if c.Column == "code" && len(value) == 3 && strings.HasSuffix(strings.ToLower(value), "x") {
		return c.class(strings.ToLower(value))
	}
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case c.Column == "code" && (err != nil || n < 100 || n > 999):
		return c, noCode(value)
	case err != nil || n < 0:
		return c, fmt.Errorf("match %s=%s: write a number", c.Column, Escaped(value, 80))
	}
	c.Op, c.Text, c.Low, c.High = OpRange, "", n, n
	return c, nil
}

// class reads 5xx, which asks for the class of the reply, told by Exim without
// a code, and 55x, which asks for the codes.
func (c Condition) class(value string) (Condition, error) {
	if _, err := ParseClass(value); err == nil {
		c.Column, c.Text = "class", value
		return c, nil
	}
	n, err := strconv.ParseInt(value[:2], 10, 64)
	if err != nil || n < 20 || n > 59 {
		return c, noCode(value)
	}
	c.Op, c.Text, c.Low, c.High = OpRange, "", n*10, n*10+9
	return c, nil
}

func noCode(value string) error {
	return fmt.Errorf("match code=%s: write a code as 554, 55x, 4xx or 5xx", Escaped(value, 80))
}

func (c Condition) time(value string) (Condition, error) {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return c, fmt.Errorf("match time=%s: write it as in the listing, 2006-01-02T15:04:05Z; spans are asked for with --since and --until", Escaped(value, 80))
	}
	c.Op, c.Text, c.Low, c.High = OpRange, "", t.UnixNano(), t.UnixNano()
	return c, nil
}

func (c Condition) id(value string) (Condition, error) {
	var id ID
	if err := id.UnmarshalText([]byte(value)); err != nil {
		return c, fmt.Errorf("match id=%s: an id has 32 hexadecimal digits", Escaped(value, 80))
	}
	c.Text = id.String()
	return c, nil
}

// network reads an address or a network; wide takes an address for the network
// that it is counted under.
func (c Condition) network(name, value string, wide bool) (Condition, error) {
	c.Op, c.Text = OpNetwork, ""
	if a, err := netip.ParseAddr(value); err == nil && a.Zone() == "" {
		a = a.Unmap()
		c.Network = netip.PrefixFrom(a, a.BitLen())
		if wide {
			c.Network = NetworkOf(a)
		}
		return c, nil
	}
	p, err := netip.ParsePrefix(value)
	if err != nil {
		return c, fmt.Errorf("match %s=%s: write an address or a network, 203.0.113.9 or 203.0.113.0/24", name, Escaped(value, 80))
	}
	c.Network = p.Masked()
	return c, nil
}

// NetworkOf is the network that a client is counted under: /24 for IPv4, /64
// for IPv6, what one customer usually has. It is not valid where a is not.
func NetworkOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// ValidText is s as the store keeps it: bytes that are not UTF-8, and NUL,
// become U+FFFD.
func ValidText(s string) string {
	if isASCIIText(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}
