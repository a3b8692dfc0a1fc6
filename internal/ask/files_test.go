package ask

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// Files that overlap are read side by side, so that the order of the events, and
// what sessions tell, do not depend on the order of the arguments.
func TestFilesSideBySide(t *testing.T) {
	dir := t.TempDir()
	began := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	var files []string
	for f := range 3 {
		var b bytes.Buffer
		for i := range 200 {
			at := began.Add(time.Duration(3*i+f) * time.Second)
			client := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
			b.WriteString(at.Format(time.RFC3339) + " mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[" + client.String() +
				"]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>\n")
		}
		name := filepath.Join(dir, strconv.Itoa(9-f)+".log")
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append([]string{name}, files...)
	}
	l := Files{Names: append(files, files[0])}
	var last time.Time
	n := 0
	err := l.Read(t.Context(), func(e *relaylens.Event) {
		if e.Time.Before(last) {
			t.Errorf("%s comes after %s", e.Time, last)
		}
		last = e.Time
		n++
	})
	if err != nil || n != 600 {
		t.Errorf("%d events, %v", n, err)
	}
}
