package archtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Package is what go list says of one.
type Package struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// List reads the packages of the module in dir, without their tests: a test
// may use what it likes.
func List(ctx context.Context, dir string) ([]Package, error) {
	// -e: a library that cannot be had right now is the compiler's business.
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages in %s: %w\n%s", dir, err, stderr.Bytes())
	}
	var pkgs []Package
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		pkgs = append(pkgs, p)
	}
}

// Check holds pkgs against rules and returns one sentence for each breach.
func Check(rules []Rule, pkgs []Package) []string {
	var breaches []string
	for _, p := range pkgs {
		rule, ok := find(rules, room(p.ImportPath))
		if !ok {
			breaches = append(breaches, fmt.Sprintf("%s: no rule says what it may import; add one to internal/archtest", p.ImportPath))
			continue
		}
		for _, path := range p.Imports {
			if why := rule.forbids(path); why != "" {
				breaches = append(breaches, fmt.Sprintf("%s imports %s: %s", p.ImportPath, path, why))
			}
		}
		if rule.Pure {
			breaches = append(breaches, clocks(p)...)
		}
	}
	return breaches
}

// room is path below the module, "" for its root.
func room(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, Module), "/")
}

func find(rules []Rule, name string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return fits(r.Package, name) })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

func fits(pattern, name string) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	if !wild {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, prefix)
	return ok && rest != "" && !strings.Contains(rest, "/")
}

// forbids says why a package under r may not import path; "" when it may.
func (r Rule) forbids(path string) string {
	switch {
	case path == Module:
		return ""
	case strings.HasPrefix(path, Module+"/"):
		if slices.ContainsFunc(r.Rooms, func(pattern string) bool { return fits(pattern, room(path)) }) {
			return ""
		}
		return "rooms meet in internal/app and cmd only"
	case strings.Contains(strings.Split(path, "/")[0], "."):
		if slices.ContainsFunc(r.Modules, func(m string) bool {
			return path == m || strings.HasPrefix(path, m+"/")
		}) {
			return ""
		}
		return "this library does not live here"
	case r.Pure && slices.Contains(impure, path):
		return "this package is a pure function of its arguments"
	}
	return ""
}

// clocks finds where a pure package asks for the time.
func clocks(p Package) []string {
	var breaches []string
	fset := token.NewFileSet()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			breaches = append(breaches, fmt.Sprintf("%s: %v", p.ImportPath, err))
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"}, sel.Sel.Name) {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == "time" {
				breaches = append(breaches, fmt.Sprintf("%s: %s asks for time.%s: the only time is the log's",
					p.ImportPath, fset.Position(sel.Pos()), sel.Sel.Name))
			}
			return true
		})
	}
	return breaches
}
