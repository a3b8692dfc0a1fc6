package app

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relaylens/relaylens/config"
)

// Every type of source brings its lines to the metrics, under its own name.
func TestSourceTypes(t *testing.T) {
	dir := t.TempDir()
	pipe, sock := filepath.Join(dir, "pipe"), filepath.Join(dir, "log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// journalctl with one entry.
	bin := filepath.Join(dir, "bin")
	writeFile(t, filepath.Join(bin, "journalctl"), fmt.Sprintf("#!/bin/sh\necho '{\"__CURSOR\":\"c\",\"SYSLOG_IDENTIFIER\":\"postfix/smtpd\",\"_HOSTNAME\":\"mx1\",\"MESSAGE\":\"%s\"}'\nexec sleep 600\n",
		refusalLine[strings.Index(refusalLine, "NOQUEUE"):]))
	if err := os.Chmod(filepath.Join(bin, "journalctl"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))

	r := started(t, func(o *Options) {
		o.newSource = nil
		o.Stdin = strings.NewReader(refusalLine + "\n")
		o.Config.Sources = []config.Source{
			{Type: "pipe", Path: pipe, MTA: "auto"},
			{Type: "syslog", Listen: "unixgram://" + sock, MTA: "auto"},
			{Type: "journal", MTA: "auto", Start: "begin"},
			{Type: "stdin", MTA: "auto"},
		}
	})
	waitFor(t, func() bool { _, err := os.Stat(sock); return err == nil })
	c, err := net.Dial("unixgram", sock)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "<22>%s", refusalLine); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, refusalLine); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return sum(t, r.exporter, refusals) == 4 })
	for _, name := range []string{pipe, "unixgram://" + sock, "journal", "-"} {
		r.wantMetric(`relaylens_lines_total{result="refusal",source="` + name + `"} 1`)
	}
	r.wantMetric(`relaylens_source_dropped_total{source="unixgram://` + sock + `"} 0`)
	r.wantMetric(`relaylens_source_restarts_total{source="journal"} 0`)
}

// A reload makes a source anew when it reads something else, and only then.
func TestReloadOfSources(t *testing.T) {
	journal := config.Source{Type: "journal", MTA: "auto", Start: "end", Units: []string{"postfix@-.service"}}
	for name, tt := range map[string]struct {
		change func(*config.Source)
		anew   bool
	}{
		"nothing": {func(*config.Source) {}, false},
		"mta":     {func(s *config.Source) { s.MTA = "postfix" }, false},
		"start":   {func(s *config.Source) { s.Start = "begin" }, false},
		"units":   {func(s *config.Source) { s.Units = []string{"exim4.service"} }, true},
		"type":    {func(s *config.Source) { *s = config.Source{Type: "file", Path: "journal"} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			next := journal
			tt.change(&next)
			if got := readsDifferently(journal, next); got != tt.anew {
				t.Errorf("made anew: %v", got)
			}
		})
	}
}
