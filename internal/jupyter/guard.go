package jupyter

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/transport"
)

// This file stands between the library's sockets and whoever connects to them, and
// ends connections that would hold up or bring down a kernel before any signature is
// seen: the library waits without end for a greeting, and for a client that does not
// read, and takes as much memory as a frame claims to need.

const (
	// guardedTransport is TCP under guard, as endpoints name it.
	guardedTransport = "guarded"
	// greetingTime is how long a client may take to introduce itself.
	greetingTime = 3 * time.Second
	// readingTime is how long it may leave unread what it is sent.
	readingTime = 10 * time.Second
	// breath is the pause after a connection could not be accepted, as when the process
	// has no descriptors left: the library tries again at once.
	breath = 10 * time.Millisecond
	// largestFrame is the longest frame in bytes; a cell is one.
	largestFrame = 64 << 20
)

// registerGuard makes the transport known to the library.
var registerGuard = sync.OnceValue(func() error {
	return zmq4.RegisterTransport(guardedTransport, guard{transport.New("tcp")})
})

// guard is a transport.
type guard struct{ transport.Transport }

// Listen implements transport.Transport.
func (g guard) Listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := g.Transport.Listen(ctx, address)
	if err != nil {
		return nil, err
	}
	return guardedListener{l, greetingTime}, nil
}

type guardedListener struct {
	net.Listener
	greeting time.Duration
}

// Accept implements net.Listener.
func (l guardedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		time.Sleep(breath)
		return nil, err
	}
	return &guardedConn{Conn: c, frames: frames{left: greetingLength}, late: time.AfterFunc(l.greeting, func() { c.Close() })}, nil
}

// guardedConn is a connection to a client. One goroutine reads from it, and one
// writes to it, at a time.
type guardedConn struct {
	net.Conn
	frames frames
	late   *time.Timer // ends the connection; stopped when the client is let in
}

// Read implements net.Conn.
func (c *guardedConn) Read(b []byte) (int, error) {
	if c.frames.complete > 0 {
		c.late.Stop() // the library has let the client in, for it reads on
	}
	n, err := c.Conn.Read(b)
	if err := c.frames.pass(b[:n]); err != nil {
		c.Close()
		return 0, err
	}
	return n, err
}

// Write implements net.Conn. What is written in part cannot be mended, so the
// connection ends with the first failure.
func (c *guardedConn) Write(b []byte) (int, error) {
	err := c.SetWriteDeadline(time.Now().Add(readingTime))
	n := 0
	if err == nil {
		n, err = c.Conn.Write(b)
	}
	if err != nil {
		c.Close()
	}
	return n, err
}

// greetingLength is the length of ZMTP's greeting, which comes before any frame.
const greetingLength = 64

// frames follows a stream of ZMTP: each frame is a byte of flags, its length in one
// byte or, if the flags say so, in eight, and as many bytes. The first that a client
// sends introduces it.
type frames struct {
	left     uint64 // bytes of the frame, or of the greeting
	head     []byte // of the next one, as far as it was read
	greeted  bool
	complete int
}

// pass follows the next bytes. It fails at a frame that is too long.
func (f *frames) pass(b []byte) error {
	const long = 2 // the flag
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(b)))
			f.left -= n
			b = b[n:]
			f.end()
			continue
		}
		f.head = append(f.head, b[0])
		b = b[1:]
		switch {
		case f.head[0]&long == 0 && len(f.head) == 2:
			f.left = uint64(f.head[1])
		case f.head[0]&long != 0 && len(f.head) == 9:
			f.left = binary.BigEndian.Uint64(f.head[1:])
		default:
			continue
		}
		if f.left > largestFrame {
			return fmt.Errorf("a frame of %d bytes is too long", f.left)
		}
		f.head = f.head[:0]
		f.end()
	}
	return nil
}

// end counts a frame that is complete; the greeting is none.
func (f *frames) end() {
	if f.left > 0 {
		return
	}
	if f.greeted {
		f.complete++
	}
	f.greeted = true
}
