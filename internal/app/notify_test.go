package app

import (
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/store"
)

// The daemon speaks to a real socket as systemd provides it.
func TestNotifySocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	told, heard := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(heard)
		hear(conn, told)
	}()
	defer func() {
		conn.Close()
		<-heard
	}()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "30000")
	t.Setenv("WATCHDOG_PID", "")
	next := testConfig("/mail.log")
	r := started(t, reloadable(&next, nil), func(o *Options) { o.notify = nil })
	expect := func(want string) {
		t.Helper()
		for timeout := time.After(patience); ; {
			select {
			case got := <-told:
				if strings.HasPrefix(got, want) {
					return
				}
			case <-timeout:
				t.Fatalf("%s never came", want)
			}
		}
	}
	expect("READY=1\nSTATUS=following /mail.log, listening on 127.0.0.1:")
	expect("WATCHDOG=1")
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	expect("RELOADING=1")
	expect("READY=1")
	stopped := make(chan struct{})
	go func() { defer close(stopped); r.stop() }()
	expect("STOPPING=1")
	<-stopped
}

// hear reads what the daemon tells until the socket is closed, as it comes: a
// socket that nobody reads holds the daemon up. Signs of life that follow upon
// each other are one.
func hear(conn net.Conn, told chan<- string) {
	buf := make([]byte, 1024)
	for last := ""; ; {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if state := string(buf[:n]); state != last {
			told <- state
			last = state
		}
	}
}

func TestWrongWatchdogVariable(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "soon")
	r := &rig{t: t, feeds: map[string]*feed{}}
	o := r.newOptions()
	o.notify = nil
	if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "WATCHDOG_USEC") {
		t.Errorf("error %v", err)
	}
}

// A pipeline that hangs is not vouched for.
func TestWatchdogNeedsPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int64
		a := &App{logger: zap.NewNop(), pipeline: newPipeline(nil, spike.Settings{}, prom.New(prom.Options{}), nil, nil, zap.NewNop())}
		a.options.watchdog = 30 * time.Second
		a.options.notify = func(string) error { told.Add(1); return nil }
		a.startWatchdog()
		time.Sleep(time.Second / 2) //nolint:forbidigo // the bubble's time; between the ticks, of which there is one in ten seconds
		for minute := range 3 {     // the pipeline hangs in the second
			for range 60 {
				if minute != 1 {
					a.pipeline.alive()
				}
				time.Sleep(time.Second) //nolint:forbidigo // the bubble's time
			}
			synctest.Wait()
			// Two more come until the silence is as long as the manager waits.
			want := []int64{6, 6 + 2, 6 + 2 + 6}[minute]
			if got := told.Load(); got != want {
				t.Errorf("after minute %d: told %d times, want %d", minute, got, want)
			}
		}
		if err := a.cleanup.run(t.Context(), time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A service manager that would end a long start hears of it in time, and what takes
// so long.
func TestUpdateOfTheStoreExtendsTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		var told []string
		a := &App{logger: zap.New(core)}
		a.options.notify = func(state string) error { told = append(told, state); return nil }
		done := a.updating(store.Update{From: 5, To: 6, Bytes: 4e9, About: 20 * time.Second})
		time.Sleep(12 * time.Second) //nolint:forbidigo // the bubble's time
		done(nil)
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's time
		want := []string{
			"EXTEND_TIMEOUT_USEC=30000000\nSTATUS=bringing the event store up to date for 0s, which takes about 20s",
			"EXTEND_TIMEOUT_USEC=30000000\nSTATUS=bringing the event store up to date for 5s, which takes about 20s",
			"EXTEND_TIMEOUT_USEC=30000000\nSTATUS=bringing the event store up to date for 10s, which takes about 20s",
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
		said := logs.All()
		if len(said) != 2 || said[0].Message != "event store is brought up to date" || said[1].ContextMap()["took"] != 12*time.Second {
			t.Errorf("log: %+v", said)
		}
	})
}
