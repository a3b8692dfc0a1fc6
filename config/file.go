package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/relaylens/relaylens"
)

// maxFile bounds the configuration file; what is larger is some other file.
const maxFile = 1 << 20

// readFile returns the bytes of the configuration file at path.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Where: path, Problem: "no such file", Remedy: "name an existing file with --config, or none to run on defaults"}
	case errors.Is(err, fs.ErrPermission):
		return nil, &Error{Where: path, Problem: "no permission to read it", Remedy: "let the user that runs relaylens read the file and enter its directories"}
	case err != nil:
		return nil, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &Error{Where: path, Problem: "is a directory", Remedy: "name the file within it"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(data) > maxFile {
		return nil, &Error{Where: path, Problem: "is larger than 1 MiB", Remedy: "name the configuration with --config, not a log"}
	}
	return data, nil
}

// document reads one YAML document. It returns nil when there is nothing in it.
func document(name string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(name, data, err)
	}
	if err := dec.Decode(&next); err == nil {
		return nil, &Error{Where: atLine(name, next.Line), Problem: "a second YAML document begins", Remedy: "keep everything in one document, without ---"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(name, data, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// yamlLine finds the line number in an error of the YAML library, which has no
// type for it.
var yamlLine = regexp.MustCompile(`^line (\d+): `)

func syntaxError(name string, data []byte, err error) error {
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
		return &Error{Where: name, Problem: "is not a text in UTF-8", Remedy: "name the configuration, which is a YAML file"}
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := bytes.TrimLeft(line, " ")
		if len(text) > 0 && text[0] == '\t' && len(bytes.TrimSpace(text)) > 0 {
			return &Error{Where: atLine(name, i+1), Problem: "the line is indented with a tab", Remedy: "indent with spaces, as YAML demands"}
		}
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		name, text = name+":"+m[1], text[len(m[0]):]
	}
	return &Error{Where: name, Problem: "is not YAML: " + text, Remedy: "check the indentation, colons, brackets and quotes around this line"}
}

func atLine(name string, line int) string {
	if line == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d", name, line)
}

// reader turns YAML into the nested map that the layers are merged from, and
// refuses what the schema does not have.
type reader struct {
	name    string
	lines   bool // whether the lines of name mean anything to a person
	origins map[string]string
	errs    []error
}

// readYAML reads a whole file. Keys that it sets are entered in origins.
func readYAML(name string, data []byte, origins map[string]string) (map[string]any, error) {
	root, err := document(name, data)
	if root == nil {
		return nil, err
	}
	r := &reader{name: name, lines: true, origins: origins}
	value, _ := r.value(schema(), "", root).(map[string]any)
	return value, errors.Join(r.errs...)
}

func (r *reader) where(n *yaml.Node) string {
	if !r.lines {
		return r.name
	}
	return atLine(r.name, n.Line)
}

func (r *reader) refuse(n *yaml.Node, key, problem, remedy string) {
	r.errs = append(r.errs, &Error{Where: r.where(n), Key: key, Problem: problem, Remedy: remedy})
}

// value reads n as the value of f, nil when it sets nothing. A section or list
// may be left empty, as happens when everything below it is commented out.
func (r *reader) value(f *field, path string, n *yaml.Node) any {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.refuse(n, path, "YAML anchors and aliases are not supported", "write the value out")
		return nil
	case isNull(n):
		if f.form == formText || f.form == formNumber || f.form == formSize || f.form == formSpan {
			r.refuse(n, path, "has no value", "give one, or remove the line for the default")
		}
		return nil
	}
	// A section only has the origins of what is in it.
	if f.form != formSection || strings.HasSuffix(path, "]") {
		r.origins[path] = r.where(n)
	}
	switch f.form {
	case formSection:
		return r.section(f, path, n)
	case formTexts:
		return r.list(f, &field{name: f.name, form: formText}, path, n)
	case formRecords:
		return r.list(f, &field{name: f.name, form: formSection, children: f.children, example: strings.Trim(f.example, "[]")}, path, n)
	default:
		return r.scalar(f, path, n)
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// nodeName says what a person wrote.
func nodeName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	default:
		return quote(n.Value)
	}
}

func (r *reader) scalar(f *field, path string, n *yaml.Node) any {
	if n.Kind != yaml.ScalarNode {
		r.refuse(n, path, "is "+nodeName(n)+", but must be a "+f.form.String(), f.remedy())
		return nil
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
	default:
		r.refuse(n, path, "has the YAML tag "+quote(n.Tag), "write the value without a tag")
		return nil
	}
	v, err := f.scalar(n.Value)
	if err != nil {
		r.refuse(n, path, err.Error(), f.remedy())
		return nil
	}
	return v
}

func (r *reader) list(f, element *field, path string, n *yaml.Node) any {
	if n.Kind != yaml.SequenceNode {
		r.refuse(n, path, "is "+nodeName(n)+", but must be a "+f.form.String(), f.remedy())
		return nil
	}
	values := []any{}
	for i, item := range n.Content {
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		if isNull(item) {
			r.refuse(item, itemPath, "is empty", "remove the line, or fill it")
			continue
		}
		value := r.value(element, itemPath, item)
		if m, ok := value.(map[string]any); ok {
			addDefaults(element, m)
		}
		values = append(values, value)
	}
	return values
}

// addDefaults completes a section of a list, which viper has no defaults for.
func addDefaults(f *field, m map[string]any) {
	for _, c := range f.children {
		if _, ok := m[c.name]; !ok && c.def != "" {
			m[c.name] = c.defaultValue()
		}
	}
}

func (r *reader) section(f *field, path string, n *yaml.Node) any {
	if n.Kind != yaml.MappingNode {
		r.refuse(n, path, "is "+nodeName(n)+", but must hold keys with values", sectionRemedy(f, path))
		return nil
	}
	values := map[string]any{}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name, full := key.Value, join(path, key.Value)
		c := f.child(name)
		switch first, again := lines[name]; {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			r.refuse(key, path, "a key must be a plain name", "write the keys out")
		case c == nil:
			r.refuse(key, shownKey(full), "unknown key", unknownRemedy(f, path, name))
		case again:
			r.refuse(key, full, fmt.Sprintf("set a second time, first in line %d", first), "keep one of them")
		default:
			lines[name] = key.Line
			if v := r.value(c, full, value); v != nil {
				values[name] = v
			}
		}
	}
	return values
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// shownKey shortens a key that somebody else wrote, and keeps it harmless.
func shownKey(key string) string {
	if q := quote(key); len(q) > len(key)+2 || strings.ContainsAny(key, " \t:") {
		return q
	}
	return key
}

func sectionRemedy(f *field, path string) string {
	switch {
	case path == "":
		return "write lines such as listen: 127.0.0.1:9725"
	case f.example != "":
		return "write " + f.example
	default:
		return f.remedy()
	}
}

// unknownRemedy looks for the key that was meant: here, or anywhere by its last name.
func unknownRemedy(f *field, path, name string) string {
	var names []string
	for _, c := range f.children {
		names = append(names, c.name)
	}
	if s := relaylens.Suggest(name, names); s != "" {
		return "did you mean " + join(path, s) + "?"
	}
	for _, l := range leaves() {
		if relaylens.PlainName(name) == relaylens.PlainName(l.name) || relaylens.PlainName(name) == relaylens.PlainName(l.path) {
			return "did you mean " + l.path + "?"
		}
	}
	where := "known: "
	if path != "" {
		where = "known in " + path + ": "
	}
	return where + strings.Join(names, ", ")
}
