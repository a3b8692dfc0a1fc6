// Package testutil is what the end-to-end tests share: the program under test
// and its daemon, waiting for what other programs do, and namespaces to run in. Nothing of it is
// in the program.
package testutil
