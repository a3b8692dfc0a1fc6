package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// DefaultFile is read when no other file is named and it exists.
const DefaultFile = "/etc/relaylens/relaylens.yaml"

// keyDelimiter separates sections in viper's keys. The usual dot would split
// names of domains.
const keyDelimiter = "::"

// notSet is the origin of a default.
const notSet = "default"

// LoadOptions say where the configuration comes from; the later source wins:
// defaults, file, environment, flags, arguments.
type LoadOptions struct {
	// File is the configuration file. Empty means the file that --config or
	// RELAYLENS_CONFIG names, and else DefaultFile if that exists.
	File string
	// Flags holds what Flags registered; only flags that were given count.
	Flags *pflag.FlagSet
	// Files are FILE arguments, which take the place of sources.
	Files []string
	// Environ has the form of os.Environ, which nil stands for.
	Environ []string
}

// Origins tells where the values of a configuration were set.
type Origins struct {
	File string // the configuration file, empty when none was read
	keys map[string]string
}

// Of names the file and line, variable or flag that set a key, or "default".
// The key is written as in Error.Key; what is not set by itself has the origin
// of the list or section that it is in.
func (o *Origins) Of(key string) string {
	for {
		if where, ok := o.keys[key]; ok {
			return where
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 || key[i] == '.' && !strings.Contains(key[:i], "[") {
			return notSet
		}
		key = key[:i]
	}
}

// Load reads, merges and checks the configuration. Its error tells every
// mistake at once; see Errors.
func Load(o LoadOptions) (*Config, error) {
	c, _, err := LoadOrigins(o)
	return c, err
}

// LoadOrigins is Load that also tells where each value came from.
func LoadOrigins(o LoadOptions) (*Config, *Origins, error) {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	origins := &Origins{keys: map[string]string{}}
	var data []byte
	file, err := o.file()
	if file != "" {
		data, err = readFile(file)
		origins.File = file
	}
	if err != nil {
		return nil, origins, err
	}
	c, err := load(origins, data, o)
	return c, origins, err
}

// file finds the configuration file; none is no error.
func (o *LoadOptions) file() (string, error) {
	if o.File != "" {
		return o.File, nil
	}
	if o.Flags != nil {
		if f := o.Flags.Lookup(FileFlag); f != nil && f.Changed {
			if f.Value.String() == "" {
				return "", &Error{Where: "--" + FileFlag, Problem: "names no file", Remedy: "name one, or leave the flag out"}
			}
			return f.Value.String(), nil
		}
	}
	if name := variables(o.Environ)[EnvFile]; name != "" {
		return name, nil
	}
	if _, err := os.Stat(DefaultFile); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return DefaultFile, nil
}

// load is LoadOrigins after the file has been read.
func load(origins *Origins, data []byte, o LoadOptions) (*Config, error) {
	fromFile, err1 := readYAML(origins.File, data, origins.keys)
	fromEnv, err2 := readEnv(o.Environ, origins.keys)
	fromFlags, err3 := readFlags(o.Flags, origins.keys)
	fromArguments, err4 := readArguments(o.Files, origins.keys)
	unread := errors.Join(err1, err2, err3, err4)
	c, err := merge(fromFile, fromEnv, fromFlags, fromArguments)
	if err != nil {
		if unread != nil {
			return nil, unread
		}
		return nil, err
	}
	if err := errors.Join(unread, origins.besides(unread, c.Validate())); err != nil {
		return nil, origins.locate(err)
	}
	return c, nil
}

// besides leaves of mistakes, where something could not be read, those that
// cannot come of that: of values that were set, in other sections.
func (o *Origins) besides(unread, mistakes error) error {
	if unread == nil {
		return mistakes
	}
	var hurt []string
	for _, e := range Errors(unread) {
		hurt = append(hurt, topKey(e.Key))
	}
	var besides []error
	for _, e := range Errors(mistakes) {
		if _, set := o.keys[e.Key]; set && !slices.Contains(hurt, topKey(e.Key)) {
			besides = append(besides, e)
		}
	}
	return errors.Join(besides...)
}

// topKey is the first part of a key: sources of sources[0].path.
func topKey(key string) string {
	if i := strings.IndexAny(key, ".["); i >= 0 {
		return key[:i]
	}
	return key
}

// locate tells for each mistake where the value was set, in the order of the file.
func (o *Origins) locate(err error) error {
	mistakes := Errors(err)
	for _, e := range mistakes {
		if where := o.Of(e.Key); e.Where == "" && where != notSet {
			e.Where = where
		}
	}
	slices.SortStableFunc(mistakes, func(a, b *Error) int { return cmp.Compare(a.line(), b.line()) })
	sorted := make([]error, len(mistakes))
	for i, e := range mistakes {
		sorted[i] = e
	}
	return errors.Join(sorted...)
}

// merge lays the layers over the defaults, the last on top. A list replaces the
// list below it.
func merge(layers ...map[string]any) (*Config, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(keyDelimiter))
	defaults := reflect.ValueOf(Default()).Elem()
	for _, f := range leaves() {
		v.SetDefault(f.viperKey(), f.of(defaults).Interface())
	}
	for _, layer := range layers {
		if err := v.MergeConfigMap(layer); err != nil {
			return nil, fmt.Errorf("merge configuration: %w", err)
		}
	}
	c := new(Config)
	exact := func(d *mapstructure.DecoderConfig) {
		d.TagName = "key"
		d.WeaklyTypedInput = false
		d.DecodeHook = nil
	}
	if err := v.UnmarshalExact(c, exact); err != nil {
		return nil, fmt.Errorf("merge configuration: %w", err)
	}
	dropEmptyLists(schema(), reflect.ValueOf(c).Elem())
	return c, nil
}

// of finds the value of a leaf in a Config.
func (f *field) of(config reflect.Value) reflect.Value {
	section, v := schema(), config
	for name := range strings.SplitSeq(f.path, ".") {
		section = section.child(name)
		v = v.Field(section.index)
	}
	return v
}

// dropEmptyLists makes an empty list nil, so that configurations that mean the
// same are equal.
func dropEmptyLists(section *field, v reflect.Value) {
	for _, f := range section.children {
		switch value := v.Field(f.index); {
		case f.form == formSection:
			dropEmptyLists(f, value)
		case value.Kind() == reflect.Slice && value.Len() == 0:
			value.SetZero()
		}
	}
}
