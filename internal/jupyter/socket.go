package jupyter

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

// sockets are the five of a kernel.
type sockets struct {
	shell, control, iopub, stdin, heartbeat *socket
}

// socket is a ZeroMQ socket that several goroutines may send on.
type socket struct {
	zmq4.Socket
	mu sync.Mutex
}

func (s *socket) send(frames [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Send(zmq4.NewMsgFrom(frames...))
}

// listen binds all sockets, or none.
func listen(ctx context.Context, c *Connection, errors *log.Logger) (*sockets, error) {
	if err := registerGuard(); err != nil {
		return nil, err
	}
	options := []zmq4.Option{zmq4.WithLogger(log.New(knocks{errors}, "", 0))}
	s := &sockets{
		shell:     &socket{Socket: zmq4.NewRouter(ctx, options...)},
		control:   &socket{Socket: zmq4.NewRouter(ctx, options...)},
		iopub:     &socket{Socket: zmq4.NewPub(ctx, options...)},
		stdin:     &socket{Socket: zmq4.NewRouter(ctx, options...)},
		heartbeat: &socket{Socket: zmq4.NewRouter(ctx, options...)},
	}
	for _, b := range []struct {
		name   string
		socket *socket
		port   int
	}{{"shell", s.shell, c.Shell}, {"control", s.control, c.Control}, {"iopub", s.iopub, c.IOPub}, {"stdin", s.stdin, c.Stdin}, {"heartbeat", s.heartbeat, c.Heartbeat}} {
		if err := b.socket.Listen(c.endpoint(b.port)); err != nil {
			s.close()
			return nil, fmt.Errorf("%s socket: %w", b.name, err)
		}
	}
	return s, nil
}

// close closes the sockets, as far as that can be done in a short time: one whose
// client does not read what it is being sent does not close.
func (s *sockets) close() {
	const patience = time.Second
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, x := range []*socket{s.shell, s.control, s.stdin, s.heartbeat, s.iopub} {
			_ = x.Close() // there is nobody left to tell
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}

// knocks passes on what the library tells, but for clients that were gone before they had
// introduced themselves: front ends look like that whether a kernel is alive.
type knocks struct{ to *log.Logger }

// Write implements io.Writer; it is given a line.
func (k knocks) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte("could not exchange greetings")) || !bytes.Contains(line, []byte("EOF")) {
		k.to.Print(string(line))
	}
	return len(line), nil
}

// echo is the heartbeat: what comes goes back.
func echo(s *socket) {
	for {
		m, err := s.Recv()
		if err != nil {
			return
		}
		if s.send(m.Frames) != nil {
			continue // the client is gone, and another may come
		}
	}
}

// letters makes the headers of what is sent.
type letters struct {
	session string
	sent    atomic.Int64
}

func newLetters() (*letters, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	return &letters{session: hex.EncodeToString(id)}, nil
}

func (l *letters) header(kind string) header {
	return header{
		ID: l.session + "_" + strconv.FormatInt(l.sent.Add(1), 10), Session: l.session, Username: "occlude",
		Date: time.Now().UTC().Format(time.RFC3339Nano), Type: kind, Version: protocolVersion,
	}
}

// owned copies frames that a library may use again.
func owned(frames [][]byte) [][]byte {
	out := make([][]byte, len(frames))
	for i, f := range frames {
		out[i] = bytes.Clone(f)
	}
	return out
}
