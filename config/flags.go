package config

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// FileFlag is the flag that names the configuration file.
const FileFlag = "config"

// Flags registers --config and a flag for every key that has one. [Load] takes
// the values of those that were given.
func Flags(fs *pflag.FlagSet) {
	fs.String(FileFlag, "", "configuration `FILE` (default "+DefaultFile+", if it exists)")
	for _, f := range leaves() {
		if f.flag != "" {
			fs.String(f.flag, f.def, f.usage())
		}
	}
}

// usage is the first sentence of the documentation, and the closed list of values.
func (f *field) usage() string {
	text, _, _ := strings.Cut(f.doc, ". ")
	text = strings.ToLower(text[:1]) + strings.TrimSuffix(text[1:], ".")
	if f.enum != nil {
		return text + ": " + strings.Join(f.enum, ", ")
	}
	return text
}

// readFlags reads the flags of fs that were given; fs may be nil or lack some.
// A relative path counts from the working directory, as everywhere in a shell.
func readFlags(fs *pflag.FlagSet, origins map[string]string) (map[string]any, error) {
	values := map[string]any{}
	if fs == nil {
		return values, nil
	}
	var errs []error
	for _, f := range leaves() {
		flag := fs.Lookup(f.flag)
		if f.flag == "" || flag == nil || !flag.Changed {
			continue
		}
		text := flag.Value.String()
		if f.isPath() {
			text = absolute(text)
		}
		v, err := f.fromText("--"+f.flag, text, origins)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		setAt(values, f.path, v)
	}
	return values, errors.Join(errs...)
}

// isPath reports whether the value is the name of a file or directory.
func (f *field) isPath() bool { return f.path == "data_dir" || f.path == "web.config_file" }

// absolute leaves an empty path to the checks.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

// readArguments makes a source of every FILE argument; they replace the list of
// the file.
func readArguments(files []string, origins map[string]string) (map[string]any, error) {
	if len(files) == 0 {
		return nil, nil
	}
	const where = "command line"
	element := schema().child("sources")
	var sources []any
	var wrong []error
	for _, file := range files {
		m := map[string]any{"path": absolute(file)}
		switch {
		case file == stdin:
			m["path"] = file
		case strings.HasSuffix(file, ".yaml"), strings.HasSuffix(file, ".yml"):
			wrong = append(wrong, &Error{Where: where, Problem: quote(file) + " is no log by its name, but a configuration", Remedy: "write --config in front of it"})
		}
		addDefaults(element, m)
		sources = append(sources, m)
	}
	setOrigin(origins, element.path, where)
	return map[string]any{"sources": sources}, errors.Join(wrong...)
}
