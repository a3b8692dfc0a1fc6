//go:build !poison

package tailer

const poisonDefault = false
