// Package resident keeps the resident memory of the process small: it gives pages of
// code and tables back to the kernel that only the start of the program needed, and
// has the garbage collector run early where that costs nothing.
package resident

import "runtime/debug"

// Trim gives back the pages of the program's own code and tables. Most of them
// were needed only to start, by packages that get ready for what a command never
// asks of them, some 15 MiB; those that are needed come back as they are used, out
// of the page cache. Call it where the work begins. Where the system cannot, it
// does nothing.
func Trim() { trim() }

// Release gives back what is not in use: what the collector finds, and what [Trim]
// gives. Call it where a step of the work ends that needed much of its own.
func Release() {
	trim() // the collector needs others of the pages than what was done before
	debug.FreeOSMemory()
	trim()
}
