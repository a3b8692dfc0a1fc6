// Package testutil is what tests share that deal with other programs: the
// program under test and its daemon, a name server, waiting for what others do,
// and namespaces to run in. Nothing of it is in the program.
package testutil
