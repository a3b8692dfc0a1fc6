package tailer

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/jsonscan"
)

// The members of a journal entry that are kept, in the order in which they are
// written; systemd.journal-fields(7) says what they are. journalctl writes them
// in another order each time it runs, which would give a line as many texts and
// its events as many ids.
var journalFields = [...]string{
	journalCursor:   "__CURSOR",
	journalRealtime: "__REALTIME_TIMESTAMP",
	2:               "_SOURCE_REALTIME_TIMESTAMP",
	3:               "_HOSTNAME",
	journalProgram:  "SYSLOG_IDENTIFIER",
	5:               "_COMM",
	6:               "SYSLOG_PID",
	7:               "_PID",
	8:               "CONTAINER_ID",
	9:               "CONTAINER_PARTIAL_MESSAGE",
	journalMessage:  "MESSAGE",
}

const (
	journalCursor   = 0
	journalRealtime = 1
	journalProgram  = 4
	journalMessage  = 10
)

const (
	// maxRecord bounds an entry as journalctl writes it: a message of MaxLine
	// bytes takes four times that as an array of numbers. No mail server writes
	// longer ones; others are left out whole.
	maxRecord = 512 << 10
	// maxArray bounds a message that is written as an array of numbers.
	maxArray = 2 * relaylens.MaxLine
	// maxValue bounds every other value; longer ones are left out.
	maxValue = 4 << 10
	// maxEntry is what an entry takes at most as a line.
	maxEntry = maxArray + len(journalFields)*(maxValue+64)
)

// A record is one journal entry: raw values by the index of journalFields, nil
// where the entry has no such field.
type record struct {
	values [len(journalFields)][]byte
}

// parse takes an object of journalctl -o json apart and reports whether it is
// one, with a cursor. The values alias text.
func (r *record) parse(text []byte) bool {
	*r = record{}
	s := unsafe.String(unsafe.SliceData(text), len(text))
	i := jsonscan.Space(s, 0)
	if i >= len(s) || s[i] != '{' {
		return false
	}
	for i++; ; {
		name, value, next, ok := jsonscan.Member(s, i)
		switch {
		case !ok:
			return false
		case next == 0:
			return len(r.values[journalCursor]) > 2 && r.values[journalCursor][0] == '"'
		}
		r.set(name, text[next-len(value):next])
		i = next
	}
}

func (r *record) set(name string, value []byte) {
	for f, known := range journalFields {
		if name == known {
			r.values[f] = value
			return
		}
	}
}

// torn reports whether the entry may have been read while it was written:
// journalctl leaves out a field whose object is linked to its first entry in
// that moment, which journald does after the entry shows. systemd
// src/libsystemd/sd-journal/journal-file.c, journal_file_link_entry and
// check_object; sd-journal.c, sd_journal_enumerate_data. Few entries have no
// message or no program to begin with.
func (r *record) torn() bool {
	return r.values[journalMessage] == nil || r.values[journalProgram] == nil
}

// cursor is the entry's place in the journal, empty when there is no entry.
func (r *record) cursor() []byte {
	v := r.values[journalCursor]
	if len(v) < 2 {
		return nil
	}
	return v[1 : len(v)-1]
}

// time is when journald received the entry, zero when it does not say.
func (r *record) time() time.Time {
	n, err := strconv.ParseInt(string(bytes.Trim(r.values[journalRealtime], `"`)), 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}

// appendTo writes the entry as an object of one line, at most maxEntry bytes,
// and reports whether its message had to be cut. At is where the cursor stands in dst.
func (r *record) appendTo(dst []byte) (line []byte, at int, cut bool) {
	lead := byte('{')
	for f, value := range r.values {
		if value == nil {
			continue
		}
		if f == journalMessage {
			value, cut = cutMessage(value)
		} else if len(value) > maxValue {
			continue
		}
		dst = append(dst, lead, '"')
		dst = append(dst, journalFields[f]...)
		dst = append(dst, '"', ':')
		if f == journalCursor {
			at = len(dst) + 1
		}
		dst = append(dst, value...)
		if cut {
			dst = append(dst, closing(value[0]))
		}
		lead = ','
	}
	return append(dst, '}'), at, cut
}

// cutMessage shortens a message to what is kept of a line, without its end quote or bracket.
func cutMessage(value []byte) ([]byte, bool) {
	switch value[0] {
	case '"':
		if len(value) <= relaylens.MaxLine {
			return value, false
		}
		value = value[:relaylens.MaxLine]
		// Not within an escape, of which \uXXXX is the longest.
		if i := bytes.LastIndexByte(value[len(value)-6:], '\\'); i >= 0 {
			value = value[:len(value)-6+i]
		}
		value = bytes.TrimRight(value, `\`)
		for i := 1; i < utf8.UTFMax && i < len(value); i++ {
			if tail := value[len(value)-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					value = value[:len(value)-i]
				}
				break
			}
		}
		return value, true
	case '[':
		if len(value) <= maxArray {
			return value, false
		}
		// A message that was set several times is an array of texts, of which
		// one may be the long one: then nothing is kept of it.
		value = value[:maxArray]
		if bytes.IndexByte(value, '"') >= 0 || bytes.IndexByte(value[1:], '[') >= 0 {
			return value[:1], true
		}
		return value[:max(1, bytes.LastIndexByte(value, ','))], true
	}
	return value[:min(len(value), maxValue)], false
}

func closing(opening byte) byte {
	if opening == '[' {
		return ']'
	}
	return '"'
}
