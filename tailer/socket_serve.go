package tailer

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/sleep"
)

// packetConn is a socket of datagrams.
type packetConn interface {
	io.ReadCloser
	SetReadBuffer(bytes int) error
}

type datagrams struct {
	*socket
	conn packetConn
	path string // of the socket file, empty when there is none
	file os.FileInfo
}

func (s *socket) datagrams(conn packetConn) *datagrams {
	if err := conn.SetReadBuffer(receiveBuffer); err != nil {
		s.log.Debug("set receive buffer", zap.Error(err))
	}
	return &datagrams{socket: s, conn: conn}
}

// Close also removes the socket file, unless another listener has replaced it.
func (d *datagrams) Close() error {
	if fi, err := os.Lstat(d.path); d.path != "" && err == nil && os.SameFile(fi, d.file) {
		_ = os.Remove(d.path)
	}
	return d.conn.Close()
}

func (d *datagrams) serve(context.Context) error {
	buf := make([]byte, maxDatagram+1)
	for {
		n, err := d.conn.Read(buf)
		if err != nil {
			return err
		}
		text := firstLine(buf[:n])
		if len(text) == 0 {
			continue
		}
		cut := len(text) > relaylens.MaxLine
		if !d.in.put(text[:min(len(text), relaylens.MaxLine)], cut, false) {
			d.lost("the consumer is behind, dropping what comes over the socket")
		}
	}
}

// lost counts a line that nobody will see, and says so once a minute.
func (s *socket) lost(why string) {
	s.dropped.Inc()
	s.sometimes(why)
}

func (s *socket) sometimes(message string) {
	now := time.Now().UnixNano()
	if last := s.saidAt.Load(); now-last >= int64(sayAgain) && s.saidAt.CompareAndSwap(last, now) {
		s.log.Warn(message)
	}
}

// streams accepts connections.
type streams struct {
	*socket
	l *net.TCPListener
}

func (a *streams) Close() error { return a.l.Close() }

func (a *streams) serve(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	var p pause
	for {
		conn, err := a.l.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // out of descriptors
			a.m.errors.Inc()
			a.sometimes("accept: " + err.Error())
			if !sleep.For(ctx, p.next()) {
				return nil
			}
			continue
		case a.conns.Load() >= int64(a.MaxConns):
			a.sometimes("too many connections, closing new ones")
			conn.Close()
			continue
		}
		p = pause{}
		a.conns.Add(1)
		wg.Go(func() {
			defer a.conns.Add(-1)
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			a.read(conn)
		})
	}
}

// read takes messages from one connection until it ends.
func (a *streams) read(conn net.Conn) {
	f := newFramer(&idleReader{conn, a.Idle})
	for {
		text, cut, err := f.next()
		if err == nil {
			if !a.in.put(text, cut, true) {
				a.lost("stopped with messages unread")
				return
			}
			continue
		}
		if errors.Is(err, errHalfMessage) || len(text) > 0 {
			a.lost("a connection ended within a message")
		}
		return
	}
}

// idleReader gives a connection up that is silent for long.
type idleReader struct {
	net.Conn
	idle time.Duration
}

func (r *idleReader) Read(p []byte) (int, error) {
	if err := r.SetReadDeadline(time.Now().Add(r.idle)); err != nil {
		return 0, err
	}
	return r.Conn.Read(p)
}
