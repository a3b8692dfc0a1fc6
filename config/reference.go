package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

const referenceHead = `# Configuration

<!-- Made by "go generate ./config" from the tags in config/config.go. -->

relaylens runs without any configuration: it looks for the usual logs and follows those that exist, or reads the journal where there are none.
What is set comes from these places, the later one wins:

1. defaults, as listed here;
2. the file that ` + "`--config` or `RELAYLENS_CONFIG` names, else `" + DefaultFile + "`" + ` if it exists;
3. variables of the environment;
4. flags, and FILE arguments of ` + "`relaylens serve`" + `, which take the place of ` + "`sources`" + `.

Nothing is guessed. A key that does not exist, a key that is set twice, a value of the wrong kind and a
variable that begins with ` + "`" + EnvPrefix + "`" + ` and belongs to no key are errors that name the key, the line and the remedy.
` + "`relaylens check-config`" + ` shows them, and ` + "`relaylens check-config -o yaml`" + ` shows what would be used and where each value
was set. On SIGHUP the daemon reads everything again; when something is wrong, it says so and goes on with what it had.

The file is YAML. The least that makes sense:

` + "```yaml" + `
listen: 127.0.0.1:9725
data_dir: /var/lib/relaylens
sources:
  - {type: file, path: /var/log/mail.log, mta: auto}
` + "```" + `

` + "`relaylens check-config --print-example`" + ` writes a file with every key in it, to start from.

A variable holds the value as it stands; a variable for a list holds the list in YAML or JSON, and replaces the list of the file:

` + "```sh" + `
RELAYLENS_LOG_LEVEL=debug
RELAYLENS_SOURCES='[{path: /var/log/mail.log}, {path: /var/log/exim4/mainlog, mta: exim}]'
` + "```" + `

An empty variable counts as not set. A size is a whole number with a unit: B, kB, MB, GB, TB for powers of 1000, KiB, MiB, GiB, TiB
for powers of 1024. A time span is a whole number with a unit, w, d, h, m or s, or several, the larger first: 90d, 36h, 1w2d. Paths are absolute; only flags and arguments may be relative to the working directory.

## Keys
`

// WriteReference writes the documentation of every key, in Markdown.
func WriteReference(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(referenceHead)
	writeKeys(b, schema())
	b.WriteString("\n## The usual logs\n\nLooked for when no sources are set:\n\n| file | written by |\n|---|---|\n")
	for _, l := range usualLogs {
		fmt.Fprintf(b, "| `%s` | %s |\n", l.path, l.who)
	}
	b.WriteString("\nWhere none of these exists and systemd keeps a journal, the journal is read.\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write reference: %w", err)
	}
	return nil
}

func writeKeys(b *bufio.Writer, section *field) {
	for _, f := range section.children {
		fmt.Fprintf(b, "\n### `%s`\n\n%s\n", f.path, f.doc)
		if f.form != formSection {
			b.WriteString("\n")
			for _, fact := range f.facts() {
				fmt.Fprintf(b, "* %s: %s\n", fact[0], fact[1])
			}
		}
		writeKeys(b, f)
	}
}

// facts are the lines below a key: name and value, in Markdown.
func (f *field) facts() [][2]string {
	facts := [][2]string{{"type", f.form.String()}}
	if f.enum != nil {
		facts[0][1] = "one of `" + strings.Join(f.enum, "`, `") + "`"
	}
	switch {
	case f.def != "":
		facts = append(facts, [2]string{"default", "`" + f.def + "`"})
	case strings.HasSuffix(f.path, "[].path"), strings.HasSuffix(f.path, "[].listen"), strings.HasSuffix(f.path, "[].url"):
		facts = append(facts, [2]string{"default", "none, it must be set"})
	default:
		facts = append(facts, [2]string{"default", "none"})
	}
	if f.types != nil {
		facts = append(facts, [2]string{"for", "the type `" + strings.Join(f.types, "`, `") + "`"})
	}
	if f.example != "" {
		facts = append(facts, [2]string{"example", "`" + f.name + ": " + quoted(f.example) + "`"})
	}
	if !strings.Contains(f.path, "[]") {
		facts = append(facts, [2]string{"variable", "`" + f.env() + "`"})
	}
	if f.flag != "" {
		facts = append(facts, [2]string{"flag", "`--" + f.flag + "`"})
	}
	if f.restart {
		facts = append(facts, [2]string{"change", "takes effect when the daemon is started again"})
	}
	return facts
}

// quoted puts quotes around an example that would be a list otherwise: an IPv6
// address begins with a bracket.
func quoted(example string) string {
	if strings.HasPrefix(example, "[") && !strings.HasSuffix(example, "]") {
		return `"` + example + `"`
	}
	return example
}

const exampleHead = `# relaylens.yaml: the configuration of relaylens.
#
# Every key is shown with its default or, where there is none, with an example.
# Remove the # before a key to set it; relaylens check-config tells whether the
# result is right. The reference is docs/configuration.md.
`

// WriteExample writes a file with every key, commented out. It loads as it
// stands, and with the # removed from every key and section as well.
func WriteExample(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(exampleHead)
	writeExampleKeys(b, schema(), "")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write example: %w", err)
	}
	return nil
}

func writeExampleKeys(b *bufio.Writer, section *field, indent string) {
	for _, f := range section.children {
		if indent == "" {
			b.WriteString("\n")
		}
		writeComment(b, f, indent)
		switch {
		case f.form == formSection:
			fmt.Fprintf(b, "#%s%s:\n", indent, f.name)
			writeExampleKeys(b, f, indent+"  ")
		case f.form == formRecords:
			fmt.Fprintf(b, "#%s%s:\n", indent, f.name)
			writeExampleRecord(b, f, indent)
		case f.def != "":
			fmt.Fprintf(b, "#%s%s: %s\n", indent, f.name, f.def)
		default:
			fmt.Fprintf(b, "#%s%s: %s\n", indent, f.name, quoted(f.example))
		}
	}
}

// writeExampleRecord writes one element of a list. Keys that its type does not
// have, or that are optional where there are no types, are comments still when
// the # is removed.
func writeExampleRecord(b *bufio.Writer, list *field, indent string) {
	lead, deeper := indent+"  - ", indent+"    "
	for i, f := range list.children {
		if i == 0 {
			writeComment(b, f, indent+"  ")
		} else {
			lead = deeper
			writeComment(b, f, deeper)
		}
		value := f.def
		if value == "" {
			value = f.example
		}
		if kind := list.child("type"); kind == nil && i > 0 || kind != nil && !f.belongs(kind.def) {
			fmt.Fprintf(b, "#%s# %s: %s\n", lead, f.name, value)
			continue
		}
		fmt.Fprintf(b, "#%s%s: %s\n", lead, f.name, value)
	}
}

// exampleWidth is where the prose of the example is wrapped.
const exampleWidth = 78

// writeComment writes the documentation of a key. That of a key within a section
// is a comment still when the # is removed from every line of the section.
func writeComment(b *bufio.Writer, f *field, indent string) {
	text := f.doc
	if len(f.enum) > 1 {
		text += " One of " + strings.Join(f.enum, ", ") + "."
	}
	start := "#"
	if indent != "" {
		start = "#" + indent + "#"
	}
	line := start
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > exampleWidth && line != start {
			b.WriteString(line + "\n")
			line = start
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
