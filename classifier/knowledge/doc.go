// Package knowledge is what relaylens knows beside the log: for every cause the
// root of it, its fixes with how often they work, the dead ends with how often
// they fail; for the words of the mail servers which setting writes them; the
// meaning of codes, reasons and fields. It is one data file, knowledge.yaml,
// which the tests hold to its schema.
package knowledge

//go:generate go run gen.go
