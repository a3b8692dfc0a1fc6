package tailer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// SocketOptions configure NewSocket. Listen alone is required.
type SocketOptions struct {
	// Name is what lines and metrics call the source; empty means Listen.
	Name string
	// Listen is unixgram:///run/relaylens/log, udp://127.0.0.1:5140 or
	// tcp://127.0.0.1:5140.
	Listen string
	// Remote allows to listen on addresses that other machines reach. Whoever
	// reaches them can make up lines.
	Remote bool
	// MaxConns bounds the connections at once, further ones are closed; 0 means 256.
	MaxConns int
	// Idle is after what silence a connection is closed; 0 means an hour.
	Idle    time.Duration
	Logger  *zap.Logger // nil: no log
	Metrics *Metrics    // nil: none
}

const (
	defaultConns = 256
	defaultIdle  = time.Hour
	// receiveBuffer is what the kernel is asked to hold for us, as far as
	// net.core.rmem_max allows.
	receiveBuffer = 4 << 20
	maxDatagram   = 64 << 10
	// lastDrain is how long lines that came in are offered after the context has
	// ended: nobody can send them again.
	lastDrain  = time.Second
	socketMode = 0o660
	sayAgain   = time.Minute
)

var (
	errScheme  = errors.New("it is no address to listen on")
	errOutside = errors.New("other machines reach it")
	errInUse   = errors.New("another program listens there")
	errNoSock  = errors.New("it is not a socket")
)

type socket struct {
	SocketOptions
	log     *zap.Logger
	m       *gauges
	dropped prometheus.Counter

	lastDrain time.Duration // shorter or longer in tests

	in     *inbox
	conns  atomic.Int64
	saidAt atomic.Int64 // Unix nanoseconds: when a full house was logged
}

// NewSocket takes syslog messages from a socket, so that rsyslog or syslog-ng
// can hand lines over without a file. Each datagram is a message; over TCP
// messages are framed as in RFC 6587, by an octet count or a newline. Of a
// message the first line counts, at most MaxLine bytes of it.
//
// A socket has no position. While the consumer blocks, some megabytes wait;
// then datagrams are dropped, and counted, and TCP connections are not read,
// which makes their senders wait. Lines that Run took in when ctx ends are
// offered for a second more. Addresses of peers are neither kept nor believed.
//
// A socket file that nobody listens on any more is replaced, and removed when
// Run returns. Its mode is 0660.
func NewSocket(o SocketOptions) relaylens.Source {
	if o.Name == "" {
		o.Name = o.Listen
	}
	if o.MaxConns == 0 {
		o.MaxConns = defaultConns
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	return &socket{
		SocketOptions: o, log: o.Logger.Named("socket").With(zap.String("source", o.Name)),
		m: o.Metrics.source(o.Name), dropped: o.Metrics.droppedOf(o.Name),
		lastDrain: lastDrain,
	}
}

func (s *socket) Name() string { return s.SocketOptions.Name }

func (s *socket) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	s.in = newInbox(s.Name(), time.Now(), s.m)
	l, err := s.listen()
	if err != nil {
		s.m.errors.Inc()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close()
		s.in.close()
	})
	defer stop()
	s.m.up.Set(1)
	defer s.m.up.Set(0)

	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		err = l.serve(ctx)
	})
	left := s.in.send(ctx, out)
	wg.Wait()
	last, end := context.WithTimeout(context.Background(), s.lastDrain)
	defer end()
	s.dropped.Add(float64(s.in.drain(last, out, left)))
	if err != nil && !errors.Is(err, net.ErrClosed) {
		s.m.errors.Inc()
		return &Error{Op: "read from", Path: s.Listen, Err: err}
	}
	return nil
}

// A listener is an open socket. Serve returns when it is closed.
type listener interface {
	io.Closer
	serve(ctx context.Context) error
}

func (s *socket) listen() (listener, error) {
	u, err := url.Parse(s.Listen)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, s.refuse(errScheme)
	}
	switch {
	case u.Scheme == "unixgram" && u.Host == "" && u.Path != "":
		return s.listenUnix(u.Path)
	case u.Path != "" || u.Scheme != "udp" && u.Scheme != "tcp":
		return nil, s.refuse(errScheme)
	}
	addr, err := netip.ParseAddrPort(u.Host)
	switch {
	case err != nil:
		return nil, s.refuse(errScheme)
	case !s.Remote && !addr.Addr().IsLoopback():
		return nil, s.refuse(errOutside)
	case u.Scheme == "tcp":
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
		if err != nil {
			return nil, s.refuse(err)
		}
		return &streams{socket: s, l: l}, nil
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, s.refuse(err)
	}
	return s.datagrams(conn), nil
}

// refuse gives err the remedy that a person needs.
func (s *socket) refuse(err error) *Error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	e := &Error{Op: "listen on", Path: s.Listen, Err: err}
	switch {
	case errors.Is(err, errScheme):
		e.Remedy = "write unixgram:///run/relaylens/log, udp://127.0.0.1:5140 or tcp://127.0.0.1:5140"
	case errors.Is(err, errOutside):
		e.Remedy = "listen on a loopback address, or allow it explicitly and let a firewall choose the senders"
	case errors.Is(err, errInUse), errors.Is(err, syscall.EADDRINUSE):
		e.Remedy = "stop that program, or listen elsewhere"
	case errors.Is(err, errNoSock):
		e.Remedy = "remove it, or listen elsewhere"
	case errors.Is(err, os.ErrPermission):
		e.Remedy = "let this user write to the directory, or choose a port above 1023"
	case errors.Is(err, os.ErrNotExist):
		e.Remedy = "make its directory"
	}
	return e
}

// listenUnix binds the socket file, in place of one that nobody listens on.
func (s *socket) listenUnix(path string) (listener, error) {
	if err := removeStale(path); err != nil {
		return nil, s.refuse(err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, s.refuse(err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		conn.Close()
		return nil, s.refuse(err)
	}
	d := s.datagrams(conn)
	d.path = path
	if d.file, err = os.Lstat(path); err != nil {
		conn.Close()
		return nil, s.refuse(err)
	}
	return d, nil
}

// removeStale removes a socket file that a daemon which was killed left behind.
func removeStale(path string) error {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case fi.Mode().Type() != os.ModeSocket:
		return errNoSock
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err == nil {
		conn.Close()
		return errInUse
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("ask who listens: %w", err)
	}
	return os.Remove(path)
}
