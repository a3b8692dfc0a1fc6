package main

import (
	"fmt"
	"io"
	"os"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/relaylens/relaylens/config"
)

// newLogger makes the daemon's logger as the configuration says, and the level
// by which a reload can change it.
func newLogger(o config.Log, w io.Writer) (*zap.Logger, *zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(o.Level)
	if err != nil {
		return nil, nil, fmt.Errorf("log.level: %w", err)
	}
	console := o.Format == "console"
	if o.Format == "auto" {
		f, ok := w.(*os.File)
		console = ok && term.IsTerminal(int(f.Fd()))
	}
	core := zapcore.NewCore(newLogEncoder(console), zapcore.Lock(zapcore.AddSync(w)), level)
	return zap.New(core), &level, nil
}

func newLogEncoder(console bool) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey = "time"
	c.EncodeTime = zapcore.RFC3339TimeEncoder
	c.EncodeDuration = zapcore.StringDurationEncoder
	c.EncodeLevel = zapcore.LowercaseLevelEncoder
	if console {
		c.ConsoleSeparator = " "
		return escaped{zapcore.NewConsoleEncoder(c)}
	}
	return escaped{zapcore.NewJSONEncoder(c)}
}

// escaped makes an encoder write one line of printable characters, whatever it
// is given: log lines, file names and requests are written by strangers, and
// zap lets DEL, C1 controls and bidirectional marks pass, and in the message of
// a console line everything.
type escaped struct{ zapcore.Encoder }

var logBuffers = buffer.NewPool()

func (e escaped) Clone() zapcore.Encoder { return escaped{e.Encoder.Clone()} }

func (e escaped) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return b, err
	}
	line := b.Bytes()
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if printable(line) {
		return b, nil
	}
	safe := logBuffers.Get()
	appendPrintable(safe, line)
	safe.AppendByte('\n')
	b.Free()
	return safe, nil
}

func printable(line []byte) bool {
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return false
		}
		line = line[n:]
	}
	return true
}

// appendPrintable writes what is not printable as JSON does: what is in a JSON
// string stays one.
func appendPrintable(dst *buffer.Buffer, line []byte) {
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		switch {
		case unicode.IsPrint(r) && !(r == utf8.RuneError && n == 1):
			_, _ = dst.Write(line[:n]) // a zap buffer takes everything
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(dst, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(dst, `\u%04x`, r)
		}
		line = line[n:]
	}
}
