package app

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func dial(t *testing.T, address net.Addr) net.Conn {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// closed reports whether the other side closes c without a word.
func closed(t *testing.T, c net.Conn) bool {
	t.Helper()
	said, err := io.ReadAll(c)
	return len(said) == 0 && (err == nil || errors.Is(err, syscall.ECONNRESET))
}

func TestConnectionsAreBounded(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newLimited(l, 2)
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := b.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	accept := func() net.Conn {
		dial(t, l.Addr())
		return <-accepted
	}
	first, second := accept(), accept()
	defer second.Close()
	if !closed(t, dial(t, l.Addr())) {
		t.Error("a third one is served")
	}
	first.Close()
	first.Close() // gives its room back once
	defer accept().Close()
	if !closed(t, dial(t, l.Addr())) {
		t.Error("of three, one is open and one came, and another is served")
	}
	l.Close()
	for range accepted {
		t.Error("a connection came after all")
	}
}

// A client that says nothing, or never comes to the end of its request, is
// disconnected, and others are served meanwhile.
func TestSlowClients(t *testing.T) {
	r := started(t)
	silent, slow := dial(t, r.Addr()), dial(t, r.Addr())
	if _, err := io.WriteString(slow, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if code, _ := r.get("/-/healthy"); code != 200 {
		t.Errorf("beside them: %d", code)
	}
	if !closed(t, slow) || !closed(t, silent) {
		t.Error("they got an answer")
	}
}

// A request is refused for what it is made of before anything is done about it.
func TestLargeRequest(t *testing.T) {
	r := started(t)
	c := dial(t, r.Addr())
	_, _ = io.WriteString(c, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n") // it hangs up meanwhile
	said := make([]byte, len("HTTP/1.1 431"))
	if _, err := io.ReadFull(c, said); err == nil && string(said) != "HTTP/1.1 431" || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("said %q, %v", said, err)
	}
}
