package store

import (
	"fmt"
	"strconv"

	"github.com/relaylens/relaylens"
)

// The lists of an hour that is over are written as one text for each field, in
// hourly_lists: a row for each of their values took a third of the time of all that is
// written while a log is caught up with. They are in the words of packedHour.
const (
	// wholeLists adds them to a query of packedHour whose parameters begin with a span.
	wholeLists = " UNION ALL SELECT field, list FROM hourly_lists WHERE hour >= ?1 AND hour < ?2"
	// wholeList adds those of the field that is the fourth parameter.
	wholeList = wholeLists + " AND field = ?4"
	// hourWritten tells whether something of an hour is written.
	hourWritten = "SELECT 1 FROM hourly_top WHERE hour = ?1 UNION ALL SELECT 1 FROM hourly_lists WHERE hour = ?1 LIMIT 1"
)

// pack appends the list to b and reports whether it has values without names.
func (l *topList) pack(b []byte) (packed []byte, rest bool) {
	for i := range l.counts {
		c := &l.counts[i]
		value := relaylens.ValidText(c.value())
		rest = rest || value == ""
		b = append(b, c.kind().String()...)
		for _, n := range [...]int64{c.events, c.first, c.last, int64(len(value))} {
			b = strconv.AppendInt(append(b, ' '), n, 10)
		}
		b = append(append(b, ' '), value...)
	}
	return b, rest
}

// writeList writes a list of the hour, which is over and has nothing written yet.
func (h *hourTops) writeList(w *writer, st *statements, field int, most int) error {
	l := &h.fields[field]
	l.keep(most)
	packed, rest := l.pack(h.key[:0])
	h.key = packed
	b := st.list.bind()
	b.number(h.hour)
	b.valid(topFields[field])
	b.flag(rest)
	b.valid(string(packed))
	if _, err := w.run(b.st); err != nil {
		return fmt.Errorf("write hourly top list: %w", err)
	}
	return nil
}

// inList is a text that a list with a value has; others may have it, too.
func inList(value string) string { return fmt.Sprintf(" %d %s", len(value), value) }
