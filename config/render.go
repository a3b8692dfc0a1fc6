package config

import (
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// WriteYAML writes the configuration as a file that Load reads back to the same
// values. With origins, a comment tells where each value was set.
func (c *Config) WriteYAML(w io.Writer, origins *Origins) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(toNode(schema(), "", reflect.ValueOf(c).Elem(), origins)); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if err := enc.Close(); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// toNode writes a section. Texts that are not set are left out: an empty text
// is no value. So are keys that a source of its type does not have.
func toNode(section *field, path string, v reflect.Value, origins *Origins) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range section.children {
		key, value := join(path, f.name), v.Field(f.index)
		if f.form == formText && f.def == "" && value.IsZero() || f.form == formTexts && f.types != nil && value.Len() == 0 {
			continue
		}
		if f.types != nil && !f.belongs(v.Field(section.child("type").index).String()) {
			continue
		}
		name := &yaml.Node{Kind: yaml.ScalarNode, Value: f.name}
		child := valueNode(f, key, value, origins)
		if origins != nil && child.Kind != yaml.MappingNode {
			holder := child
			if len(child.Content) > 0 {
				holder = name
			}
			holder.LineComment = "# " + origins.Of(key)
		}
		n.Content = append(n.Content, name, child)
	}
	return n
}

func valueNode(f *field, key string, v reflect.Value, origins *Origins) *yaml.Node {
	switch f.form {
	case formSection:
		return toNode(f, key, v, origins)
	case formTexts, formRecords:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		if v.Len() == 0 {
			n.Style = yaml.FlowStyle
		}
		for i := range v.Len() {
			if f.form == formRecords {
				// One comment for the list is enough.
				n.Content = append(n.Content, toNode(f, "", v.Index(i), nil))
			} else {
				n.Content = append(n.Content, textNode(v.Index(i).String()))
			}
		}
		return n
	case formText:
		return textNode(v.String())
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v.Interface())}
	}
}

// textNode has the encoder quote what would read as something else.
func textNode(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}
