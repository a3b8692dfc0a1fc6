package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	pkgs, err := List(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 5 {
		t.Fatalf("go list found %d packages: it looked in the wrong place", len(pkgs))
	}
	for _, breach := range Check(Rules, pkgs) {
		t.Error(breach)
	}
}

// TestRulesFit keeps the table honest: a rule that an earlier one hides says
// nothing.
func TestRulesFit(t *testing.T) {
	for i, r := range Rules {
		if strings.HasSuffix(r.Package, "*") {
			continue
		}
		for _, earlier := range Rules[:i] {
			if fits(earlier.Package, r.Package) {
				t.Errorf("the rule for %q is hidden by the one for %q", r.Package, earlier.Package)
			}
		}
	}
}

// TestPlanted builds small trees that break one rule each, and one that breaks
// none, and has go list read them.
func TestPlanted(t *testing.T) {
	const other = Module + "/parsers/exim"
	tests := []struct {
		name  string
		file  string
		code  string
		wants string // part of the only breach; "" for none
	}{
		{"a grammar that keeps to itself", "parsers/postfix/p.go", "package postfix\nimport _ \"" + Module + "\"\nimport _ \"strings\"\n", ""},
		{"one grammar knows another", "parsers/postfix/p.go", "package postfix\nimport _ \"" + other + "\"\n", "parsers/postfix imports " + other},
		{"a grammar opens files", "parsers/postfix/p.go", "package postfix\nimport _ \"os\"\n", "pure function"},
		{"a grammar looks at the clock", "parsers/postfix/p.go", "package postfix\nimport \"time\"\nvar T = time.Now()\n", "asks for time.Now"},
		{"the classifier knows a parser", "classifier/c.go", "package classifier\nimport _ \"" + other + "\"\n", "classifier imports " + other},
		{"the root knows a room", "r.go", "package relaylens\nimport _ \"" + other + "\"\n", "relaylens imports " + other},
		{"the tailer knows the app", "tailer/t.go", "package tailer\nimport _ \"" + Module + "/internal/app\"\n", "tailer imports"},
		{"a room nobody planned", "helpers/h.go", "package helpers\n", "no rule says"},
		{"only the app knows rooms", "internal/app/a.go", "package app\nimport _ \"" + other + "\"\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir, "go.mod", "module "+Module+"\n\ngo 1.24\n")
			plant(t, dir, "doc.go", "package relaylens\n")
			plant(t, dir, "parsers/exim/e.go", "package exim\n")
			plant(t, dir, "internal/app/doc.go", "package app\n")
			plant(t, dir, tt.file, tt.code)
			pkgs, err := List(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			breaches := Check(Rules, pkgs)
			switch {
			case tt.wants == "" && len(breaches) > 0:
				t.Errorf("breaches where none is: %q", breaches)
			case tt.wants != "" && (len(breaches) != 1 || !strings.Contains(breaches[0], tt.wants)):
				t.Errorf("breaches %q, want one with %q", breaches, tt.wants)
			}
		})
	}
}

// TestLibraries checks where libraries live, without having them at hand.
func TestLibraries(t *testing.T) {
	tests := []struct {
		pkg, path string
		allowed   bool
	}{
		{"config", "github.com/spf13/viper", true},
		{"internal/app", "github.com/spf13/viper", false},
		{"tailer", "github.com/nxadm/tail", true},
		{"tailer", "github.com/nxadm/tail/watch", true},
		{"tailer", "github.com/nxadm/tailor", false},
		{"exporter/prom", "github.com/nxadm/tail", false},
		{"cmd/relaylens", "github.com/spf13/cobra", true},
		{"internal/app", "github.com/spf13/cobra", false},
		{"classifier", "go.uber.org/zap", false},
		{"parsers/postfix", "go.uber.org/zap/zapcore", false},
		{"", "github.com/google/go-cmp/cmp", false},
	}
	for _, tt := range tests {
		t.Run(tt.pkg+" "+tt.path, func(t *testing.T) {
			breaches := Check(Rules, []Package{{ImportPath: strings.TrimSuffix(Module+"/"+tt.pkg, "/"), Imports: []string{tt.path}}})
			if allowed := len(breaches) == 0; allowed != tt.allowed {
				t.Errorf("allowed is %v, want %v: %q", allowed, tt.allowed, breaches)
			}
		})
	}
}

func plant(t *testing.T, dir, name, code string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
}
