package jupyter

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"occlude/internal/defect"
)

const (
	// waiting is how many requests wait in memory; more wait in the socket.
	waiting = 1024
	// linger is how long the last replies get to leave.
	linger = 100 * time.Millisecond
	// patience is how long a cell that was told to stop is waited for.
	patience = 2 * time.Second
)

// Options are what Serve can do without.
type Options struct {
	// Log hears of messages that are dropped; by default nobody does.
	Log *log.Logger
	// Past is where cells are kept from session to session; by default they are not.
	Past Past
	// Interrupts do what an interrupt request does.
	Interrupts <-chan os.Signal
}

// Serve answers requests until one asks for shutdown or the context ends.
func Serve(ctx context.Context, c *Connection, k Kernel, o Options) error {
	// The sockets outlive the context: the last replies leave by them.
	alive, die := context.WithCancel(context.WithoutCancel(ctx))
	defer die()
	s, err := newServer(alive, c, k, o)
	if err != nil {
		return err
	}
	s.serve(ctx, alive, o.Interrupts)
	return nil
}

// newServer binds the sockets, which live as long as the context.
func newServer(alive context.Context, c *Connection, k Kernel, o Options) (*server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = log.New(io.Discard, "", 0)
	}
	letters, err := newLetters()
	if err != nil {
		return nil, err
	}
	sockets, err := listen(alive, c, o.Log)
	if err != nil {
		return nil, err
	}
	return &server{
		kernel: k, sockets: sockets, signer: signer{[]byte(c.Key)}, letters: letters, log: o.Log,
		queue: make(chan *request, waiting), running: func() {}, past: o.Past,
	}, nil
}

// serve works until there is nothing more to do.
func (s *server) serve(ctx, alive context.Context, interrupts <-chan os.Signal) {
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.publish(nil, "status", status("starting"))
	go echo(s.sockets.heartbeat)
	go s.receive(alive, s.sockets.shell, func(r *request) {
		select {
		case s.queue <- r:
		case <-ctx.Done():
		}
	})
	go s.receive(alive, s.sockets.control, func(r *request) { s.answer(ctx, s.sockets.control, r) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.work(ctx)
	}()
	s.wait(ctx, interrupts)
	select {
	case <-done:
	case <-time.After(patience):
	}
	time.Sleep(linger)
	s.sockets.close()
}

// wait interrupts cells as it is told to, until the context ends.
func (s *server) wait(ctx context.Context, interrupts <-chan os.Signal) {
	for {
		select {
		case <-interrupts:
			s.interrupt()
		case <-ctx.Done():
			return
		}
	}
}

// server is a kernel that is being served.
type server struct {
	kernel  Kernel
	sockets *sockets
	signer  signer
	letters *letters
	log     *log.Logger
	queue   chan *request
	stop    context.CancelFunc // ends serve

	mu      sync.Mutex
	running context.CancelFunc // interrupts the cell that runs

	// Of the worker alone.
	count    int // of cells
	history  history
	past     Past // nil without
	pastRead bool
}

// receive hands on what comes in with a right signature.
func (s *server) receive(ctx context.Context, from *socket, take func(*request)) {
	for {
		m, err := from.Recv()
		if ctx.Err() != nil || errors.Is(err, context.Canceled) { // closed
			return
		}
		if err != nil {
			s.log.Printf("receiving: %v", err)
			s.stop()
			return
		}
		r, err := s.signer.read(owned(m.Frames))
		if err != nil {
			s.log.Printf("a message was dropped: %v", err)
			continue
		}
		take(r)
	}
}

// work answers the shell's requests in their order.
func (s *server) work(ctx context.Context) {
	for {
		select {
		case r := <-s.queue:
			s.answer(ctx, s.sockets.shell, r)
		case <-ctx.Done():
			return
		}
	}
}

// answer answers one request; everyone hears when that begins and ends.
func (s *server) answer(ctx context.Context, on *socket, r *request) {
	if kind := r.header.Type; kind == "interrupt_request" || kind == "shutdown_request" {
		s.interrupt() // before anybody has to listen
	}
	s.publish(r, "status", status("busy"))
	defer s.publish(r, "status", status("idle"))
	switch r.header.Type {
	case "interrupt_request":
		s.reply(on, r, "interrupt_reply", fine{"ok"})
	case "shutdown_request":
		s.shutdown(on, r)
	case "kernel_info_request":
		s.reply(on, r, "kernel_info_reply", s.info())
	default:
		if on == s.sockets.shell {
			s.answerShell(ctx, r)
		}
	}
}

// answerShell answers what only the shell is asked.
func (s *server) answerShell(ctx context.Context, r *request) {
	kind, content, err := "", any(nil), error(nil)
	switch r.header.Type {
	case "execute_request":
		s.execute(ctx, r)
		return
	case "complete_request":
		kind = "complete_reply"
		content, err = s.complete(ctx, r)
	case "inspect_request":
		kind = "inspect_reply"
		content, err = s.inspect(ctx, r)
	case "is_complete_request":
		kind = "is_complete_reply"
		content, err = s.completeness(r)
	case "history_request":
		kind = "history_reply"
		content, err = s.recall(r)
	case "comm_info_request":
		kind, content = "comm_info_reply", map[string]any{"status": "ok", "comms": struct{}{}}
	case "comm_open":
		s.refuseComm(r)
		return
	default:
		return // a front end may know more messages than a kernel
	}
	if err != nil {
		content = failed(err)
	}
	s.reply(s.sockets.shell, r, kind, content)
}

// interrupt ends the cell that runs, if one does.
func (s *server) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running()
}

func (s *server) shutdown(on *socket, r *request) {
	var asked struct {
		Restart bool `json:"restart"`
	}
	if err := json.Unmarshal(r.content, &asked); err != nil {
		s.log.Printf("shutdown: %v", err) // and shut down all the same
	}
	content := map[string]any{"status": "ok", "restart": asked.Restart}
	s.reply(on, r, "shutdown_reply", content)
	s.publish(r, "shutdown_reply", content)
	s.stop()
}

func (s *server) info() any {
	return struct {
		fine
		Protocol string `json:"protocol_version"`
		Info
		Debugger bool  `json:"debugger"`
		Links    []any `json:"help_links"`
	}{fine{"ok"}, protocolVersion, s.kernel.Info(), false, []any{}}
}

// refuseComm closes a channel to widgets, of which there are none, as the protocol
// asks.
func (s *server) refuseComm(r *request) {
	var asked struct {
		ID string `json:"comm_id"`
	}
	if json.Unmarshal(r.content, &asked) == nil {
		s.publish(r, "comm_close", map[string]any{"comm_id": asked.ID, "data": struct{}{}})
	}
}

// publish tells everyone.
func (s *server) publish(r *request, kind string, content any) {
	var parent []byte
	if r != nil {
		parent = r.raw
	}
	s.send(s.sockets.iopub, [][]byte{[]byte(kind)}, kind, parent, content)
}

// reply tells who asked.
func (s *server) reply(on *socket, r *request, kind string, content any) {
	s.send(on, r.identities, kind, r.raw, content)
}

func (s *server) send(on *socket, to [][]byte, kind string, parent []byte, content any) {
	frames, err := s.signer.write(to, s.letters.header(kind), parent, content)
	if err == nil {
		err = on.send(frames)
	}
	if err != nil {
		s.log.Printf("%s: %v", kind, err)
	}
}

type fine struct {
	Status string `json:"status"`
}

func status(state string) any { return map[string]string{"execution_state": state} }

// failure is the part of a reply that tells what went wrong.
type failure struct {
	Status    string   `json:"status"`
	Name      string   `json:"ename"`
	Value     string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

func failed(err error) failure {
	f := (*Failure)(nil)
	if !errors.As(err, &f) {
		f = &Failure{Name: "Error", Value: err.Error(), Traceback: []string{err.Error()}}
	}
	return failure{"error", f.Name, f.Value, f.Traceback}
}

// safely calls the kernel so that its faults become errors.
func safely(call func()) (err error) {
	defer defect.Recover(&err)
	call()
	return nil
}
