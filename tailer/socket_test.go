package tailer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
)

// A socketRun is a socket source that runs.
type socketRun struct {
	*journalRun
	s *socket
}

func runSocket(t testing.TB, o SocketOptions, change ...func(*socket)) *socketRun {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	o.Logger, o.Metrics = zap.New(core), NewMetrics(nil)
	ctx, cancel := context.WithCancel(t.Context())
	r := &socketRun{&journalRun{t: t, out: make(chan relaylens.Batch), done: make(chan error, 1), cancel: cancel, logs: logs, metrics: o.Metrics}, nil}
	r.s = NewSocket(o).(*socket)
	for _, c := range change {
		c(r.s)
	}
	go func() { r.done <- r.s.Run(ctx, r.out) }()
	t.Cleanup(r.stop)
	eventually(t, func() bool { return testutil.ToFloat64(r.s.m.up) == 1 || len(r.done) > 0 })
	return r
}

// lines takes n lines.
func (r *socketRun) lines(n int) (texts []string) {
	r.t.Helper()
	for len(texts) < n {
		b := r.next()
		for _, l := range b.Lines {
			if l.Source != r.s.Name() || l.Cursor == "" || b.Position.Source != "" {
				r.t.Errorf("line %+v, position %+v", l, b.Position)
			}
			texts = append(texts, strings.Clone(l.Text))
		}
		b.Release()
	}
	return texts
}

// freePort is a port of the loopback that nobody listens on.
func freePort(t testing.TB, network string) string {
	t.Helper()
	var addr net.Addr
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		addr = c.LocalAddr()
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addr = l.Addr()
	}
	return addr.String()
}

func dial(t testing.TB, network, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func TestSocketDatagrams(t *testing.T) {
	path, addr := filepath.Join(t.TempDir(), "log"), freePort(t, "udp")
	for _, tt := range []struct{ listen, network, addr string }{
		{"unixgram://" + path, "unixgram", path},
		{"udp://" + addr, "udp", addr},
	} {
		t.Run(tt.network, func(t *testing.T) {
			r := runSocket(t, SocketOptions{Listen: tt.listen})
			c := dial(t, tt.network, tt.addr)
			long := "<22>" + strings.Repeat("x", 60_000)
			for _, text := range []string{"<22>one", "<22>two\n", "", "\n", "<22>three\x00", "<22>four\n<22>not the server's\n", long} {
				send(t, c, text)
			}
			if diff := cmp.Diff([]string{"<22>one", "<22>two", "<22>three", "<22>four", long}, r.lines(5)); diff != "" {
				t.Errorf("-want +got\n%.1000s", diff)
			}
			if n := testutil.ToFloat64(r.s.dropped); n != 0 {
				t.Errorf("%v dropped", n)
			}
		})
	}
}

func TestSocketStream(t *testing.T) {
	addr := freePort(t, "tcp")
	r := runSocket(t, SocketOptions{Listen: "tcp://" + addr, MaxConns: 2})
	one, two := dial(t, "tcp", addr), dial(t, "tcp", addr)
	send(t, one, "<22>a\n11 <22>b\nlines<22>c\n")
	if diff := cmp.Diff([]string{"<22>a", "<22>b", "<22>c"}, r.lines(3)); diff != "" {
		t.Error(diff)
	}
	send(t, two, "<22>d\r\n")
	_ = r.lines(1)
	// No more than MaxConns, until one of them ends.
	if _, err := dial(t, "tcp", addr).Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a third connection is open: %v", err)
	}
	two.Close()
	eventually(t, func() bool { return r.s.conns.Load() == 1 })
	three := dial(t, "tcp", addr)
	send(t, three, "<22>without an end")
	three.Close()
	if diff := cmp.Diff([]string{"<22>without an end"}, r.lines(1)); diff != "" {
		t.Error(diff)
	}
	send(t, one, "100 <22>half")
	one.Close()
	eventually(t, func() bool { return testutil.ToFloat64(r.s.dropped) == 1 })
}

func TestSocketIdleConnection(t *testing.T) {
	addr := freePort(t, "tcp")
	r := runSocket(t, SocketOptions{Listen: "tcp://" + addr, Idle: 10 * time.Millisecond})
	if _, err := dial(t, "tcp", addr).Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a silent connection stays: %v", err)
	}
	eventually(t, func() bool { return r.s.conns.Load() == 0 })
}

// A sender that falls silent within a message has lost it.
func TestSocketIdleWithinAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSocket(SocketOptions{Listen: "tcp://127.0.0.1:514", Idle: time.Hour}).(*socket)
		s.in = newInbox("x", time.Now(), s.m)
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		began := time.Now()
		go func() { _, _ = io.WriteString(theirs, "<22>whole\n<22>half a li") }()
		(&streams{socket: s}).read(ours)
		if silent := time.Since(began); silent != time.Hour || s.in.count != 1 || testutil.ToFloat64(s.dropped) != 1 {
			t.Errorf("ended after %s with %d lines, %v dropped", silent, s.in.count, testutil.ToFloat64(s.dropped))
		}
	})
}

// What a datagram socket cannot keep it drops and counts: every line is one or
// the other, those that are kept are the oldest, and memory is bounded.
func TestSocketDropsTheNewest(t *testing.T) {
	const sent = inboxBlocks*batchLines + 5000
	path := filepath.Join(t.TempDir(), "log")
	r := runSocket(t, SocketOptions{Listen: "unixgram://" + path})
	c := dial(t, "unixgram", path)
	for i := range sent {
		send(t, c, "<22>"+strconv.Itoa(i))
	}
	eventually(t, func() bool {
		r.s.in.mu.Lock()
		defer r.s.in.mu.Unlock()
		return int(r.s.in.count)+int(testutil.ToFloat64(r.s.dropped)) == sent
	})
	dropped := int(testutil.ToFloat64(r.s.dropped))
	// One more block may be on its way to the consumer.
	if kept := sent - dropped; dropped == 0 || kept > (inboxBlocks+1)*batchLines || kept < inboxBlocks*batchLines {
		t.Errorf("%d of %d dropped", dropped, sent)
	}
	if testutil.ToFloat64(r.s.m.lagBytes) == 0 || r.s.m.behindSince.Load() == 0 {
		t.Error("no lag shows")
	}
	for i, text := range r.lines(sent - dropped) {
		if text != "<22>"+strconv.Itoa(i) {
			t.Fatalf("line %d is %q", i, text)
		}
	}
	send(t, c, "<22>afterwards")
	if diff := cmp.Diff([]string{"<22>afterwards"}, r.lines(1)); diff != "" {
		t.Error(diff)
	}
	if r.logs.FilterMessageSnippet("dropping").Len() != 1 {
		t.Error("the loss is not logged once")
	}
	eventually(t, func() bool { return testutil.ToFloat64(r.s.m.lagBytes) == 0 })
}

// A TCP sender waits instead: every line arrives, in order.
func TestSocketStreamWaits(t *testing.T) {
	const sent = 3 * inboxBlocks * batchLines
	addr := freePort(t, "tcp")
	r := runSocket(t, SocketOptions{Listen: "tcp://" + addr})
	c := dial(t, "tcp", addr)
	go func() {
		for i := range sent {
			if _, err := fmt.Fprintf(c, "<22>%0500d\n", i); err != nil {
				return
			}
		}
	}()
	eventually(t, func() bool {
		r.s.in.mu.Lock()
		defer r.s.in.mu.Unlock()
		return len(r.s.in.blocks) == inboxBlocks
	})
	for i, text := range r.lines(sent) {
		if text != fmt.Sprintf("<22>%0500d", i) {
			t.Fatalf("line %d is %.20s…", i, text)
		}
	}
	if n := testutil.ToFloat64(r.s.dropped); n != 0 {
		t.Errorf("%v dropped", n)
	}
}

// Lines that came in before the end are handed on, or counted as lost.
func TestSocketEnds(t *testing.T) {
	for _, taken := range []bool{true, false} {
		t.Run(fmt.Sprint("taken ", taken), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			r := runSocket(t, SocketOptions{Listen: "unixgram://" + path}, func(s *socket) {
				if s.lastDrain = time.Millisecond; taken {
					s.lastDrain = patience
				}
			})
			c := dial(t, "unixgram", path)
			for range 3 {
				send(t, c, "<22>x")
			}
			eventually(t, func() bool {
				r.s.in.mu.Lock()
				defer r.s.in.mu.Unlock()
				return r.s.in.count == 3
			})
			r.cancel()
			if taken {
				_ = r.lines(3)
			}
			r.stop()
			want := map[bool]float64{true: 0, false: 3}[taken]
			if n := testutil.ToFloat64(r.s.dropped); n != want {
				t.Errorf("%v dropped, want %v", n, want)
			}
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket file is left behind: %v", err)
			}
			if testutil.ToFloat64(r.s.m.up) != 0 {
				t.Error("the source is up")
			}
		})
	}
}

func TestSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	stale, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	stale.Close()
	r := runSocket(t, SocketOptions{Listen: "unixgram://" + path})
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o660 {
		t.Errorf("socket file: %v, %v", fi, err)
	}
	err = NewSocket(SocketOptions{Listen: "unixgram://" + path}).Run(t.Context(), nil)
	if !errors.Is(err, errInUse) {
		t.Errorf("a second listener: %v", err)
	}
	send(t, dial(t, "unixgram", path), "<22>still here")
	_ = r.lines(1)
}

func TestSocketRefuses(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "plain"), "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for listen, want := range map[string]error{
		"":                                   errScheme,
		"127.0.0.1:514":                      errScheme,
		"unix:///run/log":                    errScheme,
		"unixgram://run/log":                 errScheme,
		"udp://localhost:5140":               errScheme,
		"udp://127.0.0.1":                    errScheme,
		"udp://127.0.0.1:99999":              errScheme,
		"tcp://127.0.0.1:5140/x":             errScheme,
		"tcp://u@127.0.0.1:5140":             errScheme,
		"udp://0.0.0.0:5140":                 errOutside,
		"tcp://[::]:5140":                    errOutside,
		"udp://192.0.2.1:5140":               errOutside,
		"tcp://" + taken.Addr().String():     syscall.EADDRINUSE,
		"unixgram://" + dir + "/plain":       errNoSock,
		"unixgram://" + dir + "/missing/log": os.ErrNotExist,
	} {
		t.Run(listen, func(t *testing.T) {
			err := NewSocket(SocketOptions{Listen: listen}).Run(t.Context(), nil)
			if e := new(Error); !errors.Is(err, want) || !errors.As(err, &e) || e.Remedy == "" {
				t.Errorf("error %v, want %v with a remedy", err, want)
			}
		})
	}
}

// The ids of two listeners never meet, nor do those of two equal lines.
func TestSocketCursors(t *testing.T) {
	seen := map[string]bool{}
	began := time.Now()
	for i := range 2 {
		in := newInbox("x", began.Add(time.Duration(i)), NewMetrics(nil).source("x"))
		for range 1000 {
			in.put([]byte("same"), false, false)
		}
		for b := in.first(); b != nil; b = in.first() {
			for _, l := range b.lines {
				if seen[l.Cursor] {
					t.Fatalf("cursor %s comes twice", l.Cursor)
				}
				seen[strings.Clone(l.Cursor)] = true
			}
		}
	}
}
