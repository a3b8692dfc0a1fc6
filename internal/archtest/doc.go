// Package archtest holds the import rules of the program: which package may
// know which, and which third-party library lives where. Its test reads the
// rules below against what go list says of the tree.
package archtest
