// Package tailer turns logs into ordered batches of whole lines: files that
// are being written ([NewFile]), standard input and named pipes ([NewStdin]),
// and files read once from beginning to end, compressed or not ([OpenReader]).
//
// # What was read
//
// A log is rotated by renaming it, by copying and truncating it, by
// compressing it, at any moment and in several steps. Names, numbers, inodes
// and times all change or are used again on the way; what a file holds does
// not. So all is decided by one rule:
//
//	Every content that was read has a position for as long as a file holds it.
//	A content without a position was not read.
//
// A content is what a file holds from its creation on, or from a truncation. It
// is known by its origin, the digest of its first line; where more is known of
// it, by the bytes at its beginning and before the place that was read to.
// [Claims] say of every content how far it was read, by whom, and what it is
// saved as. Whoever comes upon a file asks them (Claims.enter), and there are
// three answers:
//
//   - Nobody knows it: it is read from its beginning.
//   - It was read so far: it is read on from there, whether the file is the one
//     it was read from, a copy, or an archive.
//   - Somebody else reads it, or the file has less of it than was read: there is
//     nothing to do.
//
// Claims are filled from the saved positions at start, and changed with every
// batch that was taken. A position says besides whether the content was read to
// its end and its writer has left it, or was there before following began and
// is not asked for (State); that of a copy of what the path itself names says
// nothing about the path's own file. It is forgotten when no file has held the content
// for a while.
//
// # A start, a rotation, a truncation
//
// These are one and the same: the folder is looked at (follower.walk). The first
// lines of the files that a rotation may have made of the path are read, and
// those are opened whose content is unknown or unfinished. That happens at
// start, when the path names another file than before, when a file was
// truncated, and when a new content is begun, for what stood before it may have
// been copied and truncated before anybody looked. A file that cannot be read
// yet, as it is being renamed or compressed, is looked at again until it can;
// nothing waits for it, because no decision depends on the order of files. They
// are read in the order of their numbers, dates or times, as far as that tells;
// if it tells wrong, lines come late, and not twice or never.
//
// Where no position of the path was saved, what lies beside it is old: it is
// marked as such, and FileOptions.Start and Since say where to begin.
//
// # While files are open
//
// A followed path is a list of open files, oldest first. When the path names
// another file than before, that file joins the list; the old one stays open,
// because the writer may keep its descriptor for a while after the rename.
// Older files are read before newer ones, but lines of the new file never wait
// for an old file that is silent. An old file is closed when a newer one has
// data, which shows that the writer has moved on, and the old one has been
// quiet for FileOptions.Drain since. While no newer file has data it is kept,
// however long that takes.
//
// A file that was rewritten in place is known by its size and by the bytes at
// its head and just before the read offset, before and after each read. New
// files of a path are opened even while the consumer blocks, so a rotation is
// not missed under back-pressure; what was written to a file that came and went
// between two looks, and left no copy, is beyond reach.
//
// # Memory
//
// Lines alias a block of memory that belongs to their batch until
// Batch.Release. Build with the tag poison to overwrite released blocks, which
// shows who reads them too late.
package tailer
