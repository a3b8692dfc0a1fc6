package app

import (
	"net"
	"sync"
)

// maxConnections may be open at a time. One costs some tens of kilobytes, before
// anybody has to give a password, and the web server shall not take from the log
// what the daemon needs.
const maxConnections = 512

// limited is a listener that closes connections at once when there are too many.
type limited struct {
	net.Listener
	room chan struct{} // as many as there are connections
}

func newLimited(l net.Listener, most int) *limited {
	return &limited{l, make(chan struct{}, most)}
}

// Accept implements [net.Listener].
func (b *limited) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.room <- struct{}{}:
			return &seated{Conn: c, leave: sync.OnceFunc(func() { <-b.room })}, nil
		default:
			_ = c.Close() // nothing was said on it yet
		}
	}
}

// seated is one of the connections of a [limited].
type seated struct {
	net.Conn
	leave func()
}

// Close implements [net.Conn].
func (c *seated) Close() error {
	c.leave()
	return c.Conn.Close()
}
