package api

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

type parameter struct {
	Ref    string `yaml:"$ref"`
	Name   string
	In     string
	Schema struct{ Type string }
}

// TestDescription holds openapi.yaml against what is served.
func TestDescription(t *testing.T) {
	var d struct {
		OpenAPI string `yaml:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `yaml:"operationId"`
			Parameters  []parameter
			Responses   map[string]any
		}
		Components struct {
			Parameters, Responses, Schemas map[string]yaml.Node
		}
	}
	dec := yaml.NewDecoder(strings.NewReader(string(description)))
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.") {
		t.Errorf("version %q", d.OpenAPI)
	}
	var paths []string
	for _, e := range endpoints {
		paths = append(paths, e.path)
		get, ok := d.Paths[e.path]["get"]
		if !ok || len(d.Paths[e.path]) != 1 || get.OperationID == "" || get.Responses["200"] == nil || get.Responses["default"] == nil {
			t.Errorf("%s is not described: %+v", e.path, get)
		}
		var names, many []string
		for _, p := range get.Parameters {
			if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
				node := d.Components.Parameters[name]
				if err := node.Decode(&p); err != nil {
					t.Fatal(err)
				}
			}
			if p.In != "query" {
				t.Errorf("%s: %s is in %q", e.path, p.Name, p.In)
			}
			names = append(names, p.Name)
			if p.Schema.Type == "array" {
				many = append(many, p.Name)
			}
		}
		if diff := cmp.Diff(e.params, names) + cmp.Diff(e.many, many); diff != "" {
			t.Errorf("%s (-served +described):\n%s", e.path, diff)
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(paths)), slices.Sorted(maps.Keys(d.Paths))); diff != "" {
		t.Errorf("paths (-served +described):\n%s", diff)
	}
	for _, ref := range strings.Split(string(description), `$ref: "#/components/`)[1:] {
		kind, name, _ := strings.Cut(ref[:strings.IndexByte(ref, '"')], "/")
		of := map[string]map[string]yaml.Node{"parameters": d.Components.Parameters, "responses": d.Components.Responses, "schemas": d.Components.Schemas}[kind]
		if _, ok := of[name]; !ok {
			t.Errorf("there is no %s/%s", kind, name)
		}
	}
}
