package live

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/doctor"
)

// tools puts shell scripts in the place of a server's tools.
func tools(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

func TestRead(t *testing.T) {
	tools(t, map[string]string{"postconf": `case $1 in
-n) echo "mynetworks = 0.0.0.0/0";;
-d) echo "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination";;
-M) echo "smtp inet n - y - - smtpd";;
esac`})
	server, err := New(t.Context()).Read(relaylens.Postfix)
	if err != nil {
		t.Fatal(err)
	}
	if r := doctor.Examine(server, nil); len(r.Complaints) == 0 || r.Complaints[0].Check != doctor.OpenRelay {
		t.Errorf("%+v", r)
	}
}

func TestToolFails(t *testing.T) {
	tools(t, map[string]string{"postconf": `printf 'no \033[2J config' >&2; exit 1`})
	_, err := New(t.Context()).Read(relaylens.Postfix)
	if err == nil || !strings.Contains(err.Error(), `no \x1b[2J config`) {
		t.Errorf("error %v", err)
	}
}

func TestToolIsStopped(t *testing.T) {
	tools(t, map[string]string{"postconf": "exec sleep 600"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(ctx).Read(relaylens.Postfix); err == nil {
		t.Error("it was waited for")
	}
}

func TestLookup(t *testing.T) {
	tools(t, map[string]string{"postmap": `case $2 in here.example) echo x;; down.example) echo cannot >&2; exit 1;; *) exit 1;; esac`})
	m := New(t.Context())
	for key, want := range map[string]doctor.Truth{"here.example": doctor.Yes, "gone.example": doctor.No, "down.example": doctor.Unknown, "-": doctor.Unknown, "": doctor.Unknown} {
		if got := m.Lookup("ldap:/etc/x", key); got != want {
			t.Errorf("%q: %v, want %v", key, got, want)
		}
	}
}

func TestFiles(t *testing.T) {
	m := New(t.Context())
	dir := t.TempDir()
	if m.Exists(dir) != doctor.Yes || m.Exists(filepath.Join(dir, "x")) != doctor.No {
		t.Error("what is there is not told from what is not")
	}
	if _, ok := m.ReadFile(dir); ok {
		t.Error("a directory was read")
	}
}
