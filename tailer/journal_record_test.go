package tailer

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestRecord(t *testing.T) {
	for in, want := range map[string]string{
		`{"__CURSOR":"s=1;i=2","MESSAGE":"m"}`:                                                         `{"__CURSOR":"s=1;i=2","MESSAGE":"m"}`,
		`{ "MESSAGE" : "m", "__CURSOR" : "c", "PRIORITY" : "6" }`:                                      `{"__CURSOR":"c","MESSAGE":"m"}`,
		`{"MESSAGE":[110,195],"__CURSOR":"c","_PID":"1"}`:                                              `{"__CURSOR":"c","_PID":"1","MESSAGE":[110,195]}`,
		`{"MESSAGE":null,"__CURSOR":"c"}`:                                                              `{"__CURSOR":"c","MESSAGE":null}`,
		`{"MESSAGE":["one","two"],"__CURSOR":"c"}`:                                                     `{"__CURSOR":"c","MESSAGE":["one","two"]}`,
		`{"MESSAGE":"\",\"__CURSOR\":\"forged\"","__CURSOR":"c"}`:                                      `{"__CURSOR":"c","MESSAGE":"\",\"__CURSOR\":\"forged\""}`,
		`{"A":{"__CURSOR":"forged"},"__CURSOR":"c"}`:                                                   `{"__CURSOR":"c"}`,
		`{"__CURSOR":"c","SYSLOG_IDENTIFIER":"` + strings.Repeat("i", maxValue) + `","_COMM":"smtpd"}`: `{"__CURSOR":"c","_COMM":"smtpd"}`,
		`-- Boot 0123 --`:       ``,
		`{"MESSAGE":"m"}`:       ``,
		`{"__CURSOR":""}`:       ``,
		`{"__CURSOR":["c"]}`:    ``,
		`{"__CURSOR":"c","MESS`: ``,
		`{"__CURSOR":"c"`:       ``,
		`{"__CURSOR" "c"}`:      ``,
		`[]`:                    ``,
		``:                      ``,
	} {
		t.Run(in, func(t *testing.T) {
			var r record
			got := ""
			if r.parse([]byte(in)) {
				text, at, cut := r.appendTo([]byte("before"))
				got = strings.TrimPrefix(string(text), "before")
				if cursor := string(text[at : at+len(r.cursor())]); cursor != string(r.cursor()) || cut {
					t.Errorf("cursor %q, cut %v", cursor, cut)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestRecordTime(t *testing.T) {
	for in, want := range map[string]time.Time{
		`"1780000000123456"`:     time.UnixMicro(1780000000123456),
		`"0"`:                    {},
		`"-1"`:                   {},
		`"99999999999999999999"`: {},
		`null`:                   {},
	} {
		r := record{}
		if !r.parse([]byte(`{"__CURSOR":"c","__REALTIME_TIMESTAMP":`+in+`}`)) || !r.time().Equal(want) {
			t.Errorf("%s is %v", in, r.time())
		}
	}
}

// The text of an entry is the same in whatever order its members came, it is
// JSON, and it says of the fields that are kept what the entry says.
func FuzzRecord(f *testing.F) {
	f.Add("m", "postfix/smtpd", []byte{1, 2, 200}, uint16(1), uint64(1))
	f.Add(`","__CURSOR":"forged`, "\\", []byte{}, uint16(2), uint64(2))
	f.Add(`\`, "\x00\n", []byte{}, uint16(40_000), uint64(3))
	f.Add("xé€\n", "", []byte{}, uint16(30_000), uint64(4))
	f.Add("", "", []byte{1, 20, 200}, uint16(30_000), uint64(5))
	f.Fuzz(func(t *testing.T, message, identifier string, binary []byte, repeat uint16, seed uint64) {
		message = strings.Repeat(message, min(int(repeat), 2*relaylens.MaxLine/(len(message)+1)))
		binary = bytes.Repeat(binary, min(int(repeat), 2*relaylens.MaxLine/(len(binary)+1)))
		message, identifier = strings.ToValidUTF8(message, ""), strings.ToValidUTF8(identifier, "")
		var array []int
		for _, c := range binary {
			array = append(array, int(c))
		}
		members := map[string]any{"__CURSOR": "s=1;i=2", "SYSLOG_IDENTIFIER": identifier, "MESSAGE": message, "_PID": "7", "OTHER": map[string]any{"MESSAGE": "x"}}
		if len(array) > 0 {
			members["MESSAGE"] = array
		}
		random := rand.New(rand.NewPCG(seed, 0))
		var first string
		for range 2 {
			text, cut := rewritten(t, members, random)
			if first == "" {
				first = text
			}
			if text != first {
				t.Errorf("%.200q and %.200q", first, text)
			}
			var got struct {
				Cursor     string `json:"__CURSOR"`
				Identifier string `json:"SYSLOG_IDENTIFIER"`
				Message    any    `json:"MESSAGE"`
				Other      any    `json:"OTHER"`
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil || got.Cursor != "s=1;i=2" || got.Other != nil {
				t.Fatalf("%.200q: %v", text, err)
			}
			if got.Identifier != identifier && (got.Identifier != "" || len(identifier) < maxValue/6-2) {
				t.Errorf("identifier %.200q is %.200q", identifier, got.Identifier)
			}
			switch m := got.Message.(type) {
			case string:
				if m != message && (!cut || !strings.HasPrefix(message, m)) {
					t.Errorf("message %.200q is %.200q, cut %v", message, m, cut)
				}
			case []any:
				if len(m) != len(array) && (!cut || len(m) < maxArray/4-1) {
					t.Errorf("%d bytes of %d, cut %v", len(m), len(array), cut)
				}
			}
		}
	})
}

// rewritten writes members in random order and returns what becomes of them.
func rewritten(t *testing.T, members map[string]any, random *rand.Rand) (string, bool) {
	t.Helper()
	names := slices.Sorted(maps.Keys(members))
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var parts []string
	for _, name := range names {
		value, err := json.Marshal(members[name])
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, `"`+name+`":`+string(value))
	}
	var r record
	if !r.parse([]byte("{" + strings.Join(parts, ",") + "}")) {
		t.Fatalf("%.200q is no entry", parts)
	}
	text, _, cut := r.appendTo(nil)
	if len(text) > maxEntry || !utf8.Valid(text) {
		t.Errorf("%d bytes", len(text))
	}
	return string(text), cut
}

func BenchmarkRecord(b *testing.B) {
	in := []byte(`{"_HOSTNAME":"mx1","__MONOTONIC_TIMESTAMP":"1019000","_BOOT_ID":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","__CURSOR":"s=9fbc4262ce8747cdb97cc6306182d8f3;i=14;b=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb;m=f8c78;t=652e68bb38a38;x=bac6e5daf29470f9","_PID":"77","SYSLOG_IDENTIFIER":"postfix/smtpd","__REALTIME_TIMESTAMP":"1780000000019000","MESSAGE":"NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc.example.com>"}`)
	buf := make([]byte, 0, maxEntry)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var r record
		if !r.parse(in) {
			b.Fatal("no entry")
		}
		buf, _, _ = r.appendTo(buf[:0])
	}
}
