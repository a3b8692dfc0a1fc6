// Package tailer turns logs into ordered batches of whole lines: files that
// are being written ([NewFile]), standard input and named pipes ([NewStdin]),
// and files read once from beginning to end, compressed or not ([OpenReader]).
//
// # Rotation
//
// A followed path is a list of open files, oldest first. When the path names
// another file than before, that file joins the list; the old one stays open,
// because the writer may keep its descriptor for a while after the rename.
// Older files are always read to their end before newer ones, but lines of the
// new file never wait for an old file that is silent. An old file is closed
// when a newer one has data, which shows that the writer has moved on, and the
// old one has been quiet for FileOptions.Drain since. While no newer file has
// data it is kept, however long that takes.
//
// Files are told apart by descriptor, not by name, and a file that was
// rewritten in place (copytruncate) by its size and by the bytes at its head
// and just before the read offset. New files of a path are opened even while
// the consumer blocks, so a rotation is not missed under back-pressure; what
// was written to a file that came and went between two looks is beyond reach.
//
// # Memory
//
// Lines alias a block of memory that belongs to their batch until
// Batch.Release. Build with the tag poison to overwrite released blocks, which
// shows who reads them too late.
package tailer
