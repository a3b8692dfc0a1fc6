package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/relaylens/relaylens/config"
)

// hostile is what attackers write into logs: colours, another line, a title of
// the window, marks that turn text around, bytes that are no text.
const hostile = "a\x1b[31mb\nERROR all is lost\rc\x1b]0;title\x07\x7f\u009b2J\u202egpj.exe\u2028\U000e0041\xff\"}"

func TestLogIsOnePrintableLine(t *testing.T) {
	for _, format := range []string{"console", "json"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			logger, _, err := newLogger(config.Log{Level: "info", Format: format}, &out)
			if err != nil {
				t.Fatal(err)
			}
			logger.Named("x").With(zap.String("source", hostile)).Error(hostile, zap.Error(errors.New(hostile)), zap.Strings(hostile, []string{hostile}))
			line, rest, ok := strings.Cut(out.String(), "\n")
			if !ok || rest != "" {
				t.Errorf("not one line: %q", out.String())
			}
			for _, r := range line {
				if !unicode.IsPrint(r) {
					t.Errorf("%U is in the line", r)
				}
			}
			if format == "json" && !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		})
	}
}

func TestPlainLogStaysAsItIs(t *testing.T) {
	var out bytes.Buffer
	logger, level, err := newLogger(config.Log{Level: "warn", Format: "console"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("too quiet")
	logger.Warn("source failed", zap.String("path", "/var/log/Grüße/日本.log"))
	_, got, _ := strings.Cut(out.String(), " ") // without the time
	if want := "warn source failed {\"path\": \"/var/log/Grüße/日本.log\"}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	level.SetLevel(zap.InfoLevel)
	logger.Info("heard now")
	if !strings.Contains(out.String(), "heard now") {
		t.Error("the level cannot be changed")
	}
}

func TestLogFormatFollowsTerminal(t *testing.T) {
	var out bytes.Buffer
	logger, _, err := newLogger(config.Log{Level: "info", Format: "auto"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("started")
	var entry struct{ Level, Time, Msg string }
	if err := json.Unmarshal(out.Bytes(), &entry); err != nil {
		t.Fatalf("no JSON where there is no terminal: %v: %s", err, out.String())
	}
	if entry.Level != "info" || entry.Msg != "started" || entry.Time == "" {
		t.Errorf("entry %+v", entry)
	}
}

func FuzzLogIsPrintable(f *testing.F) {
	f.Add(hostile, "key")
	f.Fuzz(func(t *testing.T, text, key string) {
		for _, console := range []bool{false, true} {
			b, err := newLogEncoder(console).EncodeEntry(zapcore.Entry{Message: text}, []zap.Field{zap.String(key, text)})
			if err != nil {
				t.Fatal(err)
			}
			line, ok := bytes.CutSuffix(b.Bytes(), []byte("\n"))
			if !ok || !printable(line) {
				t.Errorf("not one printable line: %q", b.Bytes())
			}
			if !console && !json.Valid(line) {
				t.Errorf("not JSON: %q", line)
			}
			if !bytes.Equal(line, bytes.ToValidUTF8(line, nil)) {
				t.Errorf("not UTF-8: %q", line)
			}
		}
	})
}
