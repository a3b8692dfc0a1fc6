package syslog

import (
	"time"

	"github.com/relaylens/relaylens/internal/swar"
)

// isoKey is a stamp as long as isoLayout: its first sixteen bytes and its last eight.
type isoKey [3]uint64

// keyOf is of what s begins with, which is as long.
func keyOf(s string) isoKey { return isoKey{swar.First(s), swar.First(s[8:]), swar.First(s[11:])} }

// isoDay is the day of the last stamp: "2006-01-02T", and its Unix time, were it UTC.
type isoDay struct {
	date  [2]uint64
	start int64
}

// isoForm is what the last complete stamp had, and what stamps of the same log mostly have.
type isoForm struct {
	length   int // to its end
	decimals int // of the second
	digits   uint8
	zone     uint64 // the eight bytes up to and with the space behind it, if mask has them
	mask     uint64
	offset   int64
	loc      *time.Location
	nanos    int32 // that the last decimal counts for
}

// keepForm keeps the form of a stamp that s begins with, if isoAgain can read others of it.
func (c *clock) keepForm(s string, st *stamp) {
	c.isoForm = isoForm{}
	decimals := 0
	if s[len(isoLayout)] == '.' {
		for decimals < 8 && digit(s[len(isoLayout)+1+decimals]) {
			decimals++
		}
	}
	begin := len(isoLayout) + decimals
	if decimals > 0 {
		begin++
	}
	if !st.zoned || s[10] != 'T' || st.n-begin > 6 || begin != st.n-len("Z") && s[begin] != '+' && s[begin] != '-' {
		return
	}
	f := isoForm{length: st.n, decimals: decimals, digits: st.digits, offset: int64(st.offset), loc: c.zone(int(st.offset)), nanos: 1_000_000_000}
	f.mask = ^uint64(0) << (8 * (7 - (st.n - begin)))
	f.zone = swar.At(s, st.n-7) & f.mask
	for range decimals {
		f.nanos /= 10
	}
	c.isoForm = f
}

// isoAgain reads a stamp of the form of the last one, of which isoTime is the time then; n
// is its length. S is as long as a stamp and a space can be.
func (c *clock) isoAgain(s string) (n int) {
	f := &c.isoForm
	if n = f.length; n == 0 || swar.At(s, n-7)&f.mask != f.zone || s[4] != '-' || s[10] != 'T' || c.isoKey != keyOf(s) && !c.readISO(s) {
		return 0
	}
	nsec := int32(0)
	if f.decimals > 0 {
		decimals, ok := numberAtEnd(swar.At(s, len(isoLayout)+1+f.decimals-8), 8*f.decimals)
		if !ok || s[len(isoLayout)] != '.' {
			return 0
		}
		nsec = decimals * f.nanos
	}
	c.isoTime = time.Unix(c.isoSec-f.offset, int64(nsec)).In(f.loc)
	return n
}
