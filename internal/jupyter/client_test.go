package jupyter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// patient is how long a test waits for what must come.
const patient = 20 * time.Second

// parrot is a kernel that does what it is told.
type parrot struct {
	started chan struct{} // hears of each cell "wait"
	stopped chan struct{} // and of its end, if there is room
}

func (*parrot) Info() Info { return Info{Implementation: "parrot", Language: Language{Name: "words"}} }

func (p *parrot) Execute(ctx context.Context, c Cell, out *Output) error {
	for word := range strings.FieldsSeq(c.Code) {
		switch word {
		case "fail":
			return &Failure{Name: "Wrong", Value: c.Code, Traceback: []string{"it is", "wrong"}}
		case "panic":
			panic("as told")
		case "wait":
			p.started <- struct{}{}
			<-ctx.Done()
			select {
			case p.stopped <- struct{}{}:
			default:
			}
			return ctx.Err()
		case "page":
			out.Page(Bundle{"text/plain": "a page"})
		case "show":
			out.Display("place", Bundle{"text/plain": "first"})
			out.Update("place", Bundle{"text/plain": "second"})
			out.Result(Bundle{"text/plain": "third"})
		default:
			out.Stream(Stdout, word+" ")
		}
	}
	return nil
}

func (*parrot) Complete(_ context.Context, code string, cursor int) Completion {
	return Completion{From: strings.LastIndexByte(code[:cursor], ' ') + 1, To: cursor, Matches: []Match{{"größer", "word"}}}
}

func (*parrot) Inspect(_ context.Context, code string, _ int) Bundle {
	if code == "nothing" {
		return nil
	}
	return Bundle{"text/plain": "about " + code}
}

func (*parrot) Completeness(code string) Completeness { return Completeness(code) }

// client is a front end.
type client struct {
	t                     *testing.T
	shell, control, iopub zmq4.Socket
	signer                signer
	letters               *letters
	kernel                *parrot
	server                *server
	errors                *lines
	ended                 chan struct{}
	stop                  func()
	interrupts            chan os.Signal
	c                     *Connection
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// ports finds free ones.
func ports(t *testing.T, n int) []int {
	t.Helper()
	free := make([]int, n)
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		free[i] = l.Addr().(*net.TCPAddr).Port
	}
	return free
}

func connection(t *testing.T) *Connection {
	p := ports(t, 5)
	return &Connection{Transport: "tcp", IP: "127.0.0.1", Shell: p[0], Control: p[1], IOPub: p[2], Stdin: p[3], Heartbeat: p[4],
		SignatureScheme: signatureScheme, Key: "a key"}
}

func connect(t *testing.T) *client {
	t.Helper()
	c := connection(t)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	letters, err := newLetters()
	if err != nil {
		t.Fatal(err)
	}
	cl := &client{t: t, c: c, shell: zmq4.NewDealer(ctx), control: zmq4.NewDealer(ctx), iopub: zmq4.NewSub(ctx), signer: signer{[]byte(c.Key)},
		letters: letters, kernel: &parrot{make(chan struct{}), make(chan struct{}, 1)}, errors: &lines{}, ended: make(chan struct{}), interrupts: make(chan os.Signal)}
	serving, stop := context.WithCancel(context.Background())
	cl.stop = stop
	if cl.server, err = newServer(ctx, c, cl.kernel, Options{Log: log.New(cl.errors, "", 0)}); err != nil {
		t.Fatal(err)
	}
	go func() {
		cl.server.serve(serving, ctx, cl.interrupts)
		close(cl.ended)
	}()
	t.Cleanup(func() {
		stop()
		cl.end()
	})
	for _, s := range []struct {
		socket zmq4.Socket
		port   int
	}{{cl.shell, c.Shell}, {cl.control, c.Control}, {cl.iopub, c.IOPub}} {
		if err := s.socket.Dial(c.endpoint(s.port)); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.iopub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	// As clients do: ask until something is heard.
	heard := make(chan struct{})
	go func() {
		_, _ = cl.iopub.Recv()
		close(heard)
	}()
	for waiting := true; waiting; {
		cl.request(cl.shell, "kernel_info_request", map[string]any{})
		cl.reply(cl.shell)
		select {
		case <-heard:
			waiting = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	id := cl.request(cl.shell, "comm_info_request", map[string]any{})
	cl.reply(cl.shell)
	for m := cl.next(); m.Parent.ID != id || m.Content["execution_state"] != "idle"; m = cl.next() {
	}
	return cl
}

func (c *client) end() {
	select {
	case <-c.ended:
	case <-time.After(patient):
		c.t.Error("it does not end")
	}
}

// letter is a message that a front end got.
type letter struct {
	Header, Parent header
	Content        map[string]any
}

func (c *client) request(on zmq4.Socket, kind string, content any) (id string) {
	c.t.Helper()
	h := c.letters.header(kind)
	frames, err := c.signer.write(nil, h, nil, content)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := on.Send(zmq4.NewMsgFrom(frames...)); err != nil {
		c.t.Fatal(err)
	}
	return h.ID
}

func (c *client) execute(code string) string {
	c.t.Helper()
	return c.request(c.shell, "execute_request", map[string]any{"code": code})
}

func (c *client) reply(on zmq4.Socket) letter {
	c.t.Helper()
	got := make(chan zmq4.Msg, 1)
	go func() {
		if m, err := on.Recv(); err == nil {
			got <- m
		}
	}()
	select {
	case m := <-got:
		r, err := c.signer.read(m.Frames)
		if err != nil {
			c.t.Fatalf("%v in %q", err, m.Frames)
		}
		l := letter{Header: r.header}
		at := len(m.Frames) - 3
		if err := json.Unmarshal(m.Frames[at], &l.Parent); err != nil {
			c.t.Fatal(err)
		}
		if err := json.Unmarshal(r.content, &l.Content); err != nil {
			c.t.Fatal(err)
		}
		return l
	case <-time.After(patient):
		c.t.Fatal("no message comes")
	}
	return letter{}
}

func (c *client) next() letter { return c.reply(c.iopub) }

// heard tells what everyone hears of a request, in short.
func (c *client) heard(id string) string {
	c.t.Helper()
	var said []string
	for {
		m := c.next()
		if m.Parent.ID != id {
			c.t.Fatalf("%s in answer to another request", m.Header.Type)
		}
		switch m.Header.Type {
		case "status":
			state := m.Content["execution_state"].(string)
			said = append(said, state)
			if state == "idle" {
				return strings.Join(said, ", ")
			}
		case "execute_input":
			said = append(said, fmt.Sprintf("[%v]", m.Content["execution_count"]))
		case "stream":
			said = append(said, fmt.Sprintf("%v %q", m.Content["name"], m.Content["text"]))
		case "error":
			said = append(said, fmt.Sprintf("error %v: %v", m.Content["ename"], m.Content["traceback"]))
		default:
			said = append(said, fmt.Sprintf("%s %v", m.Header.Type, m.Content["data"]))
		}
	}
}
