package summary

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// hash is what a value of a list is found by. Addresses and networks are found by
// their numbers, so that most are counted without their text.
func (t *tally) hash(field int, text string) uint64 {
	switch field {
	case fieldClient:
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			return t.clientHash(a)
		}
	case fieldNetwork:
		if p, err := netip.ParsePrefix(text); err == nil && p == relaylens.NetworkOf(p.Addr()) {
			return t.networkHash(p.Addr())
		}
	}
	return t.lists[field].Hash(text)
}

// clientHash is that of a valid address, whatever its zone.
func (t *tally) clientHash(a netip.Addr) uint64 {
	if a.Is4() {
		return bounded.Mix(t.random, uint64(numberOf(a)))
	}
	b := a.As16()
	return bounded.Mix(bounded.Mix(^t.random, binary.BigEndian.Uint64(b[:8])), binary.BigEndian.Uint64(b[8:]))
}

// networkHash is that of the network of a valid address; see [relaylens.NetworkOf].
func (t *tally) networkHash(a netip.Addr) uint64 {
	if a = a.Unmap(); a.Is4() {
		return bounded.Mix(t.random, uint64(numberOf(a)>>8))
	}
	b := a.As16()
	return bounded.Mix(^t.random, binary.BigEndian.Uint64(b[:8]))
}

func numberOf(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// addressText is a without its zone as a string that is valid until the next call.
func (t *tally) addressText(a netip.Addr) string {
	if a.Is4() {
		return unsafe.String(&t.buf[0], putIPv4(&t.buf, a))
	}
	buf := a.WithZone("").AppendTo(t.buf[:0])
	return unsafe.String(unsafe.SliceData(buf), len(buf))
}

// networkText is that of the network of a, valid until the next call.
func (t *tally) networkText(a netip.Addr) string {
	if a.Is4() { // NetworkOf
		text := t.addressText(a)
		buf := append(t.buf[:strings.LastIndexByte(text, '.')+1], "0/24"...)
		return unsafe.String(unsafe.SliceData(buf), len(buf))
	}
	buf := relaylens.NetworkOf(a).AppendTo(t.buf[:0])
	return unsafe.String(unsafe.SliceData(buf), len(buf))
}

// decimals are the numbers of a byte as text, with how long it is.
var decimals = func() (list [256][4]byte) {
	for i := range list {
		list[i][3] = byte(copy(list[i][:3], strconv.Itoa(i)))
	}
	return list
}()

// putIPv4 is [netip.Addr.AppendTo], which divides, and says how long the text is. It may
// write a byte behind that.
func putIPv4(buf *[64]byte, a netip.Addr) (n int) {
	for _, c := range a.As4() {
		d := &decimals[c]
		*(*[4]byte)(buf[n:]) = *d
		n += int(d[3]) + 1
		buf[n-1] = '.'
	}
	return n - 1
}
