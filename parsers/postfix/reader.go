package postfix

import (
	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// Reader reads what a [Grammar] does, for one goroutine: it remembers the clients that
// were read last, and what servers said.
type Reader struct{ grammar Grammar }

// Reader is a new one.
func (g *Grammar) Reader() *Reader { return &Reader{Grammar{g.texts, new(recent), new(smtp.Meanings)}} }

// SetTexts changes what the site says in words of its own, also for what For returned.
func (r *Reader) SetTexts(texts relaylens.Texts) { r.grammar.texts = texts }

// For is [Grammar.Parse] for the lines of one program, whose name is looked at once.
func (r *Reader) For(program string) func(*relaylens.Envelope, *relaylens.Record) relaylens.Verdict {
	d, service := daemonOf(program), Service(program)
	return func(env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
		return r.grammar.read(d, service, env, rec)
	}
}
