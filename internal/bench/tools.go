package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// tool is a program that reads a log.
type tool struct {
	name string
	args []string
	env  []string
	// check is given what the program wrote on standard error, if not nil.
	check func(stderr []byte) error
}

// phrases are what one greps for to see relay denials, and to see about what
// relaylens sees.
var phrases = map[string]struct{ denied, any string }{
	"postfix":  {"Relay access denied", "NOQUEUE: (milter-)?reject|SASL [A-Z0-9-]+ authentication failed|Sender address rejected|status=(deferred|bounced)"},
	"exim":     {"relay not permitted", "rejected (RCPT|MAIL|EHLO|after DATA)|authenticator failed|sender verify (fail|defer)| (==|\\*\\*) "},
	"sendmail": {"Relaying denied", "reject=|AUTH failure|User unknown|stat=(Deferred|Service unavailable)"},
}

// fast are the tools that take seconds at most.
func (b *bench) fast(l *log) []tool {
	p := phrases[l.mta]
	c := []string{"LC_ALL=C"}
	return []tool{
		{name: "relaylens summary", args: []string{b.relaylens, "summary", l.path}},
		{name: "relaylens parse", args: []string{b.relaylens, "parse", l.path}, check: understood(l)},
		{name: "wc -l", args: []string{"wc", "-l", l.path}, env: c},
		{name: "grep -c", args: []string{"grep", "-c", p.denied, l.path}, env: c},
		{name: "grep -cE", args: []string{"grep", "-cE", p.any, l.path}, env: c},
	}
}

var tally = regexp.MustCompile(`refusals (\d+)`)

// understood holds the tally of relaylens parse to the truth: a fast reader that
// misses lines is none.
func understood(l *log) func([]byte) error {
	return func(stderr []byte) error {
		m := tally.FindSubmatch(stderr)
		if m == nil {
			return fmt.Errorf("relaylens parse gave no tally: %s", stderr)
		}
		if n, _ := strconv.ParseUint(string(m[1]), 10, 64); n != l.Refusals {
			return fmt.Errorf("relaylens parse found %d refusals in %s, there are %d", n, l.path, l.Refusals)
		}
		return nil
	}
}

// peer is another program that understands the log of mta, if it is here.
func (b *bench) peer(name string, l *log) (tool, bool) {
	path := b.find(name)
	if path == "" {
		return tool{}, false
	}
	t := tool{name: name, args: []string{path, l.path}, env: []string{"LC_ALL=C"}}
	switch name {
	case "eximstats", "pflogsumm":
		t.args = []string{"perl", path, l.path}
		t.env = append(t.env, "PERL5LIB="+filepath.Join(b.peers, "usr/share/perl5"))
	case "mtail":
		program := b.find("../share/doc/mtail/examples/postfix.mtail")
		if program == "" {
			return tool{}, false
		}
		t.args = []string{path, "-one_shot", "-progs", program, "-logs", l.path, "-address", "127.0.0.1", "-port", "0", "-log_dir", os.TempDir()}
	}
	return t, true
}

var peers = map[string][]string{"postfix": {"pflogsumm", "mtail"}, "exim": {"eximstats"}}

// find looks for a file among the programs, here and where packages are unpacked.
func (b *bench) find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/bin", filepath.Join(b.peers, "usr/sbin"), filepath.Join(b.peers, "usr/bin")} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}
