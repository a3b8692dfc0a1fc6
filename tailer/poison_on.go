//go:build poison

package tailer

const poisonDefault = true
