package relaylens

import "time"

// MaxLine is the number of bytes of a line that are kept. No MTA writes longer
// records (Postfix 2000, Sendmail 1024, Exim 8192); what a source finds beyond
// is dropped, and Line.Cut says so.
const MaxLine = 64 << 10

// Line is one line of a log as it left its source.
type Line struct {
	// Text is the line without its newline. It may alias memory of the batch it
	// came in: whoever keeps it longer than the batch clones it.
	Text   string
	Source string // "/var/log/mail.log", "journal", "-" for standard input
	Origin Origin // what the offset counts from
	Number int64  // 1-based, within what this run has read of the source; 0 where lines have no number
	Offset int64  // of the first byte, in the uncompressed stream
	End    int64  // of the byte after the newline
	Cursor string // the journal's own position, in place of Origin and Offset
	Cut    bool   // longer than MaxLine; Text is its head
}

// Batch is a run of consecutive lines of one source. Its lines are valid until
// Release is called.
type Batch struct {
	Lines []Line
	// Reference is a time near to, and not before, the lines: the wall clock for
	// lines just written, the file's own time for old ones. The year that
	// RFC 3164 leaves out is inferred from it.
	Reference time.Time
	// Position resumes the source after the last line.
	Position Position
	// Drained are the positions of files that were read to their end and will not
	// grow: rotated away and quiet. Nobody will ask for them again.
	Drained []Position
	// Warm says that the lines stand before the saved position: they were
	// accounted for by an earlier run and are read again for what they tell of
	// sessions and messages alone.
	Warm bool
	// Shipment takes the place of lines, from a source that hands on what another
	// relaylens read. It is the receiver's to keep.
	Shipment *Shipment
	// Committed is called once everything of the batch is in the store, on any
	// goroutine; nil when nobody waits for that. It does not block.
	Committed func()
	// Release gives the memory of the lines back; nil when there is nothing to give.
	Release func()
}

// Origin identifies the beginning of a stream: a digest of the first line of a
// file. It stays when the file is renamed, copied or compressed.
type Origin [16]byte
