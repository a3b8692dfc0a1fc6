package store

import (
	"net/netip"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// prepared is a statement that is run for many rows. Much of a row is as it was in
// the one before, and what is bound to a parameter stays: it is bound once.
type prepared struct {
	st    *sqlite.Stmt
	bound []value // to each parameter
}

// value is what a parameter has: a number, a text, or NULL, which is the zero value.
// The text is a copy: that of the row is the caller's, who may write over it.
type value struct {
	kind   valueKind
	number int64
	text   []byte
}

type valueKind uint8

const (
	isNull valueKind = iota
	isNumber
	isText
)

func prepare(conn *sqlite.Conn, query string) (*prepared, error) {
	st, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	return &prepared{st, make([]value, st.BindParamCount())}, nil
}

// binder gives a statement its parameters, one after the other.
type binder struct {
	*prepared
	n int // those that have a value
}

func (p *prepared) bind() binder { return binder{prepared: p} }

// take is the place of the next parameter, where it has another value than this.
func (b *binder) take(kind valueKind, number int64, text string) (place int, changed bool) {
	v := &b.bound[b.n]
	b.n++
	if v.kind == kind && v.number == number && string(v.text) == text {
		return b.n, false
	}
	v.kind, v.number, v.text = kind, number, append(v.text[:0], text...)
	return b.n, true
}

func (b *binder) null() {
	if at, changed := b.take(isNull, 0, ""); changed {
		b.st.BindNull(at)
	}
}

func (b *binder) number(n int64) {
	if at, changed := b.take(isNumber, n, ""); changed {
		b.st.BindInt64(at, n)
	}
}

// flag is 1 or 0.
func (b *binder) flag(is bool) {
	n := int64(0)
	if is {
		n = 1
	}
	b.number(n)
}

// bytes are bound each time: they are ids.
func (b *binder) bytes(v []byte) {
	b.n++
	b.st.BindBytes(b.n, v)
}

// known is a number, NULL for 0.
func (b *binder) known(n int64) {
	if n == 0 {
		b.null()
		return
	}
	b.number(n)
}

// text is s, NULL where it is empty. Bytes that are not UTF-8 become U+FFFD, because
// other readers of the file expect text to be text; so does NUL, at which they stop.
func (b *binder) text(s string) {
	if s == "" {
		b.null()
		return
	}
	b.valid(s)
}

// valid is text for a column that is not NULL.
func (b *binder) valid(s string) {
	if at, changed := b.take(isText, 0, s); changed {
		b.st.BindText(at, relaylens.ValidText(s))
	}
}

func (b *binder) addr(a netip.Addr) {
	if !a.IsValid() {
		b.null()
		return
	}
	b.valid(a.String())
}

// sender is the empty text for the null sender, and NULL for none.
func (b *binder) sender(e *relaylens.Event) {
	if e.NullSender {
		b.valid("")
		return
	}
	b.text(e.Sender)
}
