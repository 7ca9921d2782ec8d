package jupyter

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Frames are counted however the stream is cut.
func TestFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := make([]byte, greetingLength)
		lengths := rapid.SliceOf(rapid.SampledFrom([]int{0, 1, 2, 9, 64, 255, 256, 1000})).Draw(t, "lengths")
		for _, n := range lengths {
			if n > 255 || rapid.Bool().Draw(t, "long") {
				stream = binary.BigEndian.AppendUint64(append(stream, 3), uint64(n))
			} else {
				stream = append(stream, 1, byte(n))
			}
			stream = append(stream, make([]byte, n)...)
		}
		f := frames{left: greetingLength}
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			if err := f.pass(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if f.complete != len(lengths) || f.left != 0 || len(f.head) != 0 {
			t.Errorf("%d frames of %v are counted, %d bytes and %d of a head are left", f.complete, lengths, f.left, len(f.head))
		}
		for _, n := range []uint64{largestFrame + 1, 1 << 62, 1<<64 - 1} {
			g := f
			if err := g.pass(binary.BigEndian.AppendUint64([]byte{2}, n)); err == nil {
				t.Errorf("a frame of %d bytes passes", n)
			}
		}
	})
}

// Who does not introduce himself is not waited for; who does may then be silent.
func TestSilentClients(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	guarded := guardedListener{l, 50 * time.Millisecond}
	introduction := append(make([]byte, greetingLength), 4, 1, 'x')
	for _, says := range [][]byte{nil, []byte("GET / HTTP/1.1\r\n\r\n"), introduction[:greetingLength], introduction[:len(introduction)-1], introduction} {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := guarded.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write(says); err != nil {
			t.Fatal(err)
		}
		if len(says) == len(introduction) {
			if _, err := io.ReadFull(server, make([]byte, len(says))); err != nil {
				t.Errorf("an introduction: %v", err)
			}
			time.AfterFunc(200*time.Millisecond, func() { fmt.Fprint(client, "\x00\x01x") })
			if _, err := io.ReadFull(server, make([]byte, 3)); err != nil {
				t.Errorf("a client that was introduced: %v", err)
			}
		} else if _, err := io.Copy(io.Discard, server); err == nil {
			t.Errorf("%q: it is let in", says)
		}
		client.Close()
		server.Close()
	}
}

// A kernel outlives whoever connects to it, and answers others meanwhile.
func TestAbsurdClients(t *testing.T) {
	c := connect(t)
	greeting := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0}, "NULL"...)
	greeting = append(greeting, make([]byte, greetingLength-len(greeting))...)
	ready := "\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
	hello := append(append(greeting, 4, byte(len(ready))), ready...)
	var strangers sync.WaitGroup
	for _, says := range [][]byte{
		[]byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: something that goes on for more than a greeting\r\n\r\n"),
		append(greeting[:greetingLength:greetingLength], "nonsense"...),
		binary.BigEndian.AppendUint64(append(hello[:len(hello):len(hello)], 2), 1<<62),
		binary.BigEndian.AppendUint64(append(hello[:len(hello):len(hello)], 2), 1<<40),
	} {
		for _, port := range []int{c.c.Shell, c.c.Control, c.c.IOPub, c.c.Heartbeat, c.c.Stdin} {
			strangers.Go(func() {
				if err := sentAway(port, says); err != nil {
					t.Errorf("%.20q: %v", says, err)
				}
			})
		}
	}
	id := c.execute("a")
	if r := c.reply(c.shell); r.Parent.ID != id || r.Content["status"] != "ok" {
		t.Errorf("meanwhile: %+v", r)
	}
	strangers.Wait()
	id = c.execute("b")
	if r := c.reply(c.shell); r.Parent.ID != id || r.Content["status"] != "ok" {
		t.Errorf("afterwards: %+v", r)
	}
}

// sentAway says something to a port and waits until the connection ends.
func sentAway(port int, says []byte) error {
	stranger, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer stranger.Close()
	if _, err := stranger.Write(says); err != nil {
		return nil // already
	}
	for range 3 { // the process may have been stopped meanwhile
		if err := stranger.SetReadDeadline(time.Now().Add(patient)); err != nil {
			return err
		}
		if _, err = io.Copy(io.Discard, stranger); err == nil || !isTimeout(err) {
			return nil
		}
	}
	return err
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}
