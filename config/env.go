package config

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/relaylens/relaylens"
)

const (
	// EnvPrefix begins every variable that the program reads.
	EnvPrefix = "RELAYLENS_"
	// EnvFile names the configuration file.
	EnvFile = EnvPrefix + "CONFIG"
)

// serviceLinks are variables that Kubernetes and Docker give to every container
// beside a service that happens to be called relaylens. They are not meant for us.
var serviceLinks = regexp.MustCompile(`^RELAYLENS_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// readEnv reads the variables of environ, which has the form of os.Environ. An
// empty variable counts as not set; one that no key knows is refused.
func readEnv(environ []string, origins map[string]string) (map[string]any, error) {
	vars := variables(environ)
	values := map[string]any{}
	var errs []error
	for _, f := range leaves() {
		name := f.env()
		text, ok := vars[name]
		delete(vars, name)
		if !ok {
			continue
		}
		v, err := f.fromText(name, text, origins)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		setAt(values, f.path, v)
	}
	delete(vars, EnvFile)
	return values, errors.Join(append(errs, unknownVariables(vars)...)...)
}

// variables returns what of environ has our prefix and a value. Where a name
// stands twice, the first counts, as in getenv(3).
func variables(environ []string) map[string]string {
	vars := map[string]string{}
	for _, e := range environ {
		name, text, ok := strings.Cut(e, "=")
		if _, again := vars[name]; ok && !again && strings.HasPrefix(name, EnvPrefix) {
			vars[name] = text
		}
	}
	maps.DeleteFunc(vars, func(_, text string) bool { return text == "" })
	return vars
}

func unknownVariables(vars map[string]string) []error {
	known := []string{strings.TrimPrefix(EnvFile, EnvPrefix)}
	for _, f := range leaves() {
		known = append(known, strings.TrimPrefix(f.env(), EnvPrefix))
	}
	var errs []error
	for name := range vars {
		if serviceLinks.MatchString(name) {
			continue
		}
		e := &Error{Where: shownKey(name), Problem: "unknown variable", Remedy: "unset it; names that begin with " + EnvPrefix + " are for keys of the configuration"}
		if s := relaylens.Suggest(strings.TrimPrefix(name, EnvPrefix), known); s != "" {
			e.Remedy = "did you mean " + EnvPrefix + s + "?"
		}
		errs = append(errs, e)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

// fromText reads the value of a variable or flag: a list in YAML or JSON, all
// else as it stands.
func (f *field) fromText(where, text string, origins map[string]string) (any, error) {
	if !utf8.ValidString(text) {
		return nil, &Error{Where: where, Key: f.path, Problem: quote(text) + " is not UTF-8", Remedy: f.remedy()}
	}
	setOrigin(origins, f.path, where)
	if f.form != formTexts && f.form != formRecords {
		v, err := f.scalar(text)
		if err != nil {
			return nil, &Error{Where: where, Key: f.path, Problem: err.Error(), Remedy: f.remedy()}
		}
		return v, nil
	}
	root, err := document(where, []byte(text))
	if err != nil {
		return nil, &Error{Where: where, Key: f.path, Problem: quote(text) + " is not a list in YAML", Remedy: f.remedy()}
	}
	if root == nil {
		return []any{}, nil
	}
	r := &reader{name: where, origins: origins}
	v := r.value(f, f.path, root)
	return v, errors.Join(r.errs...)
}

// setOrigin enters where a key was set, which replaces all of a list.
func setOrigin(origins map[string]string, path, where string) {
	for key := range origins {
		if strings.HasPrefix(key, path+"[") {
			delete(origins, key)
		}
	}
	origins[path] = where
}

// setAt enters v into nested maps at a dotted path.
func setAt(values map[string]any, path string, v any) {
	for {
		section, rest, ok := strings.Cut(path, ".")
		if !ok {
			values[path] = v
			return
		}
		inner, _ := values[section].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			values[section] = inner
		}
		values, path = inner, rest
	}
}
