// Package knowledge is what relaylens knows beside the log. For every cause: its
// root, its fixes with how often they work, and the dead ends with how often they
// fail. For the words of the mail servers: which setting writes them. For codes,
// reasons and fields: what they mean.
//
// All of it is one data file, knowledge.yaml, which the tests hold to its schema
// and from which docs/causes.md is made. Callers get entries by cause, by text or
// by code; [Entry.Fill] puts the names of an event into the commands of a copy,
// quoted for the shell. Entries are shared and not to be changed.
package knowledge

//go:generate go run gen.go
