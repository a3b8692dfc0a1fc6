package pager

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommand(t *testing.T) {
	missing := errors.New("not found")
	for name, c := range map[string]struct {
		env  map[string]string
		have []string
		want []string
	}{
		"less where there is one":    {nil, []string{"less", "more"}, []string{"less"}},
		"else more":                  {nil, []string{"more"}, []string{"more"}},
		"else none":                  {nil, nil, nil},
		"PAGER":                      {map[string]string{"PAGER": "most -s"}, []string{"less"}, []string{"most", "-s"}},
		"SYSTEMD_PAGER before PAGER": {map[string]string{"PAGER": "most", "SYSTEMD_PAGER": "less -R"}, nil, []string{"less", "-R"}},
		"cat is none":                {map[string]string{"PAGER": "cat"}, []string{"less"}, nil},
		"a blank one is none":        {map[string]string{"SYSTEMD_PAGER": " ", "PAGER": "most"}, []string{"less"}, nil},
		"an empty one is none":       {map[string]string{"SYSTEMD_PAGER": "", "PAGER": "most"}, []string{"less"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := Command(func(key string) (string, bool) { v, ok := c.env[key]; return v, ok }, func(file string) (string, error) {
				if slices.Contains(c.have, file) {
					return "/usr/bin/" + file, nil
				}
				return "", missing
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	env := map[string]string{}
	getenv := func(key string) string { return env[key] }
	if diff := cmp.Diff([]string{"A=b", "LESS=FRSXMK", "LESSCHARSET=utf-8"}, Environment([]string{"A=b"}, getenv)); diff != "" {
		t.Error(diff)
	}
	env["SYSTEMD_LESS"], env["SUDO_UID"] = "R", "1000"
	if diff := cmp.Diff([]string{"LESS=R", "LESSCHARSET=utf-8", "LESSSECURE=1"}, Environment(nil, getenv)); diff != "" {
		t.Error(diff)
	}
}

// A pager that ends before everything is written is no error of Close.
func TestPager(t *testing.T) {
	for pager, want := range map[string]string{"head -n1": "one\n", "tee": "one\ntwo\n", "false": ""} {
		t.Run(pager, func(t *testing.T) {
			t.Setenv("SYSTEMD_PAGER", pager)
			out, err := os.Create(filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			p, err := Start(t.Context(), out, os.Stderr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = p.Write([]byte("one\ntwo\n")) // false does not read it
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if got, err := os.ReadFile(out.Name()); err != nil || string(got) != want {
				t.Errorf("shown %q, %v", got, err)
			}
		})
	}
}

func TestPagerMissing(t *testing.T) {
	t.Setenv("SYSTEMD_PAGER", "/nonexistent/pager")
	if _, err := Start(t.Context(), os.Stdout, os.Stderr); err == nil {
		t.Error("it started")
	}
}
