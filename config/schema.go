package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// form is the shape of a key's value.
type form uint8

const (
	formSection form = iota // keys below it
	formText
	formNumber
	formSize
	formSpan
	formTexts   // a list of texts
	formRecords // a list of sections
)

// String is what errors and the reference call the form.
func (f form) String() string {
	return [...]string{"section", "text", "number", "size", "time span", "list of texts", "list of sections"}[f]
}

// field is one key of the configuration, as the tags of Config describe it.
type field struct {
	path     string // "log.level", "sources[].path"; empty for the root
	name     string // "level"
	form     form
	flag     string
	def      string
	example  string
	doc      string
	enum     []string
	types    []string // of sources that have the key; nil for all
	restart  bool
	index    int // among the fields of the Go struct
	children []*field
}

// schema is the tree of all keys.
var schema = sync.OnceValue(func() *field {
	return &field{form: formSection, children: childrenOf(reflect.TypeFor[Config](), "")}
})

func childrenOf(t reflect.Type, prefix string) []*field {
	var fields []*field
	for i := range t.NumField() {
		sf := t.Field(i)
		f := &field{
			name:    sf.Tag.Get("key"),
			form:    formOf(sf.Type),
			flag:    sf.Tag.Get("flag"),
			def:     sf.Tag.Get("default"),
			example: sf.Tag.Get("example"),
			doc:     sf.Tag.Get("doc"),
			restart: sf.Tag.Get("restart") == "yes",
			index:   i,
		}
		f.path = prefix + f.name
		if e := sf.Tag.Get("enum"); e != "" {
			f.enum = strings.Split(e, "|")
		}
		if types := sf.Tag.Get("types"); types != "" {
			f.types = strings.Split(types, "|")
		}
		if f.form == formSection {
			f.children = childrenOf(sf.Type, f.path+".")
		} else if f.form == formRecords {
			f.children = childrenOf(sf.Type.Elem(), f.path+"[].")
		}
		fields = append(fields, f)
	}
	return fields
}

func formOf(t reflect.Type) form {
	switch {
	case t == reflect.TypeFor[Size]():
		return formSize
	case t == reflect.TypeFor[Span]():
		return formSpan
	case t.Kind() == reflect.Struct:
		return formSection
	case t.Kind() == reflect.String:
		return formText
	case t.Kind() == reflect.Int:
		return formNumber
	case t == reflect.TypeFor[[]string]():
		return formTexts
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return formRecords
	}
	panic("config: no form for the type " + t.String())
}

// leaves lists the keys that can be set by themselves: all but sections and
// the keys within a list.
func leaves() []*field {
	var all []*field
	var walk func(*field)
	walk = func(f *field) {
		for _, c := range f.children {
			if c.form == formSection {
				walk(c)
			} else {
				all = append(all, c)
			}
		}
	}
	walk(schema())
	return all
}

func (f *field) child(name string) *field {
	for _, c := range f.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// env is the variable that sets the key.
func (f *field) env() string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(f.path, ".", "_"))
}

// viperKey is the path with the delimiter that no key contains.
func (f *field) viperKey() string { return strings.ReplaceAll(f.path, ".", keyDelimiter) }

// scalar reads the text of a value that is no list and no section.
func (f *field) scalar(text string) (any, error) {
	switch f.form {
	case formNumber:
		n, err := strconv.Atoi(text)
		// YAML reads 010 as eight and 1_000 as a thousand; others do not.
		if err != nil || strconv.Itoa(n) != text {
			return nil, fmt.Errorf("%s is not a whole number", quote(text))
		}
		return n, nil
	case formSize:
		return ParseSize(text)
	case formSpan:
		return ParseSpan(text)
	default:
		return text, nil
	}
}

// remedy tells how a value of the key looks.
func (f *field) remedy() string {
	switch {
	case f.enum != nil:
		return "use one of " + strings.Join(f.enum, ", ")
	case f.form == formSize:
		return "write a whole number with a unit, such as " + f.sample()
	case f.form == formSpan:
		return "write whole numbers with units (w, d, h, m, s), such as " + f.sample()
	case f.form == formSection:
		return "write its keys below it, each on a line of its own, indented by two spaces"
	case f.sample() == "":
		return "write a text"
	default:
		return fmt.Sprintf("write %s: %s", f.name, quoted(f.sample()))
	}
}

// sample is a value of the key that is allowed, in YAML.
func (f *field) sample() string {
	switch {
	case f.example != "":
		return f.example
	case f.enum != nil:
		return f.enum[len(f.enum)-1]
	default:
		return f.def
	}
}

// Default is the configuration when nothing is set.
func Default() *Config {
	c := new(Config)
	setDefaults(schema(), reflect.ValueOf(c).Elem())
	return c
}

func setDefaults(section *field, v reflect.Value) {
	for _, f := range section.children {
		if f.form == formSection {
			setDefaults(f, v.Field(f.index))
		} else if f.def != "" {
			v.Field(f.index).Set(reflect.ValueOf(f.defaultValue()))
		}
	}
}

// defaultValue is what the default tag says; a list has none.
func (f *field) defaultValue() any {
	v, err := f.scalar(f.def)
	if err != nil {
		panic("config: default of " + f.path + ": " + err.Error())
	}
	return v
}
