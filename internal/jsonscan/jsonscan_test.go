package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// members takes a whole object apart.
func members(s string) (list [][2]string, ok bool) {
	for i := 1; ; {
		name, value, next, ok := Member(s, i)
		if !ok || next == 0 {
			return list, ok
		}
		list = append(list, [2]string{name, value})
		i = next
	}
}

func TestMember(t *testing.T) {
	for in, want := range map[string][][2]string{
		`{}`:                                nil,
		`{"a":"b"}`:                         {{"a", `"b"`}},
		"{ \"a\" :\t\"b\" , \"c\":1 }":      {{"a", `"b"`}, {"c", "1 "}},
		`{"a":"\"}\\","c":[1,[2],{"d":3}]}`: {{"a", `"\"}\\"`}, {"c", `[1,[2],{"d":3}]`}},
		`{"a":null,"a":true}`:               {{"a", "null"}, {"a", "true"}},
		`{"a":{"b":"]}"}}`:                  {{"a", `{"b":"]}"}`}},
	} {
		if got, ok := members(in); !ok || cmp.Diff(want, got) != "" {
			t.Errorf("%s: ok %v, %s", in, ok, cmp.Diff(want, got))
		}
	}
	for _, in := range []string{`{`, `{"a"`, `{"a":`, `{"a":"b`, `{"a":"b\"}`, `{"a":[1,2}`, `{"a":}`, `{"a" 1}`, `{a:1}`, `{1}`, `{"a":1`} {
		if got, ok := members(in); ok {
			t.Errorf("%s is taken for %q", in, got)
		}
	}
}

// What is JSON is taken apart as encoding/json does it.
func FuzzMember(f *testing.F) {
	for _, s := range []string{`{"a":"b","c":[1,{"d":"}"}]}`, `{"a\u0022":"\\\"","":null}`, "{\"a\" : -1e9 ,\r\n\"b\":{}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := members(strings.TrimLeft(in, " \t\r\n"))
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(in), &object) != nil || object == nil {
			return
		}
		if !ok {
			t.Fatalf("%q is an object", in)
		}
		d := json.NewDecoder(strings.NewReader(in))
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		for _, m := range got {
			name, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			var same string
			if err := json.Unmarshal([]byte(`"`+m[0]+`"`), &same); err != nil || same != name {
				t.Errorf("%q is the name %q: %v", m[0], name, err)
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bytes.TrimRight([]byte(m[1]), " \t\r\n"), value) {
				t.Errorf("%q is the value %q", m[1], value)
			}
		}
		if d.More() {
			t.Errorf("%q has more members than %q", in, got)
		}
	})
}
