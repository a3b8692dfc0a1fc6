//go:build !linux

package app

import "io"

func claim(string) (io.Closer, error) { return io.NopCloser(nil), nil }
