//go:build e2e

package fleet

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// TestRights holds the documented permissions to what they say. A machine that
// was taken over can neither read nor speak for another host, nor do anything to
// the stream; and what it sends of its own is no more than refused.
func TestRights(t *testing.T) {
	f := newFleet(t, 1, "{type: nats, consumer: a}")
	f.flow(1)
	f.settle()
	for _, tt := range []struct{ user, subject string }{
		{"mx1", "relaylens.main.mx2.postfix.relay_denied"},
		{"mx1", "relaylens.other.mx1.postfix.relay_denied"},
		{"mx1", "$JS.API.STREAM.PURGE.relaylens_main"},
		{"mx1", "$JS.API.STREAM.DELETE.relaylens_main"},
		{"mx1", "$JS.API.STREAM.MSG.GET.relaylens_main"},
		{"mx1", "$JS.API.DIRECT.GET.relaylens_main"},
		{"mx1", "$JS.API.CONSUMER.CREATE.relaylens_main.thief"},
		{"mx1", "$JS.API.CONSUMER.MSG.NEXT.relaylens_main.a"},
		{"reader1", "relaylens.main.mx1.postfix.relay_denied"},
		{"reader1", "$JS.API.STREAM.PURGE.relaylens_main"},
		{"reader1", "$JS.API.STREAM.UPDATE.relaylens_main"},
		{"reader1", "$JS.API.CONSUMER.DELETE.relaylens_main.a"},
	} {
		if answer, err := f.cluster.request(tt.user, tt.subject, []byte("{}")); err == nil || !strings.Contains(err.Error(), "Permissions Violation") {
			t.Errorf("%s may use %s: %s, %v", tt.user, tt.subject, answer, err)
		}
	}
	for _, payload := range []string{"", "nonsense", "\x01\x28\xb5\x2f\xfd\x00"} {
		if _, err := f.cluster.request("mx1", "relaylens.main.mx1.postfix.relay_denied", []byte(payload)); err != nil {
			t.Error(err)
		}
	}
	f.flow(1)
	f.settle()
	testutil.WaitFor(t, "the reader to refuse what is nonsense", func() error {
		malformed, err := f.readers[0].metric(`relaylens_receive_messages_total{result="malformed"}`)
		if version, err := f.readers[0].metric(`relaylens_receive_messages_total{result="version"}`); err != nil || malformed+version != 3 {
			return fmt.Errorf("%v malformed, %v of another version: %w", malformed, version, err)
		}
		return err
	})
	f.compare()
}

// ask holds what the program says of all readers together against what the
// shipper wrote, which each of them has.
func (f *fleet) ask() {
	f.t.Helper()
	var servers []string
	for _, r := range f.readers {
		servers = append(servers, fmt.Sprint("http://127.0.0.1:", r.port))
	}
	want := f.shippers[0].lines
	out, err := exec.Command(program(f.t), "events", "--server", strings.Join(servers, ","), "-S", "-3d", "-o", "json", "host=mx1").Output()
	must(f.t, err)
	if n := strings.Count(string(out), "\n"); n != want {
		f.t.Errorf("events of both readers: %d, want %d", n, want)
	}
	for _, by := range []string{"", "host"} {
		args := []string{"summary", "--server", strings.Join(servers, ","), "-S", "-3d", "-U", fmt.Sprint("@", time.Now().Add(time.Hour).Unix()), "-o", "json"}
		if by != "" {
			args = append(args, "--by", by)
		}
		out, err = exec.Command(program(f.t), args...).Output()
		must(f.t, err)
		var s struct {
			Refusals int
			Shared   []string `json:"shared_hosts"`
		}
		must(f.t, json.Unmarshal(out, &s))
		if s.Refusals != want || len(s.Shared) != 1 {
			f.t.Errorf("summary of both readers by %q: %+v, want %d refusals of one host", by, s, want)
		}
	}
	must(f.t, exec.Command(program(f.t), "diagnose", "--server", strings.Join(servers, ",")).Run())
}
