package aggregate

import (
	"net/netip"

	"github.com/relaylens/relaylens"
)

// By is what refusals are counted by.
type By uint8

const (
	ByClient  By = iota
	ByNetwork    // of the client: /24 or /64, see [relaylens.NetworkOf]
	ByUser
	BySenderDomain
	ByRecipientDomain
	NumBy // how many there are
)

var byNames = [NumBy]string{"client", "network", "user", "sender_domain", "recipient_domain"}

func (b By) String() string {
	if b < NumBy {
		return byNames[b]
	}
	return "by(?)"
}

// MaxKey is how many bytes of a name are kept. Longer names that begin alike
// count as one.
const MaxKey = 63

// Key is one client, network, user or domain in a fixed size. The zero Key is
// none.
type Key struct {
	n    uint8
	text [MaxKey]byte // of an address: 16 bytes and the length of the network
}

// KeyOf is what e counts under; the zero Key where the event does not tell, and
// for outbound events: what a remote server refused is no deed of the client
// that sent it, and the recipient is not of ours.
func KeyOf(e *relaylens.Event, by By) (k Key) {
	if e.Direction == relaylens.Outbound {
		return Key{}
	}
	switch by {
	case ByClient:
		if a := e.ClientIP.Unmap(); a.IsValid() {
			k.address(a, a.BitLen())
		}
	case ByNetwork:
		if p := relaylens.NetworkOf(e.ClientIP); p.IsValid() {
			k.address(p.Addr(), p.Bits())
		}
	case ByUser:
		k.name(e.User)
	case BySenderDomain:
		k.name(e.SenderDomain())
	case ByRecipientDomain:
		k.name(e.RecipientDomain())
	}
	return k
}

// KeyOfText is the key that [Key.Text] shows as s, none where it shows none so.
func KeyOfText(s string, by By) (k Key) {
	switch by {
	case ByClient:
		if a, err := netip.ParseAddr(s); err == nil {
			k.address(a, a.BitLen())
		}
	case ByNetwork:
		if p, err := netip.ParsePrefix(s); err == nil {
			k.address(p.Addr(), p.Bits())
		}
	default:
		k.name(s)
	}
	return k
}

func (k *Key) name(s string) { k.n = uint8(copy(k.text[:], s)) }

func (k *Key) address(a netip.Addr, bits int) {
	if a.Is4() {
		bits += 96
	}
	b := a.As16()
	copy(k.text[:], b[:])
	k.text[16], k.n = byte(bits), 17
}

// None reports whether there is nothing to count under.
func (k *Key) None() bool { return k.n == 0 }

// Bytes are what tells k from others that count by the same.
func (k *Key) Bytes() []byte { return k.text[:k.n] }

// Text shows k, which counts by b. Names are a client's text.
func (k *Key) Text(b By) string {
	if b != ByClient && b != ByNetwork || k.n != 17 {
		return string(k.text[:k.n])
	}
	a, bits := netip.AddrFrom16([16]byte(k.text[:16])).Unmap(), int(k.text[16])
	if a.Is4() {
		bits -= 96
	}
	if b == ByClient {
		return a.String()
	}
	return netip.PrefixFrom(a, bits).String()
}
