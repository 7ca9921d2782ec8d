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
		letters: letters, kernel: &parrot{make(chan struct{})}, errors: &lines{}, ended: make(chan struct{}), interrupts: make(chan os.Signal)}
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

func TestExecute(t *testing.T) {
	c := connect(t)
	for i, test := range []struct{ code, status, heard string }{
		{"a b", "ok", `busy, [1], stdout "a b ", idle`},
		{"a show b", "ok", `busy, [2], stdout "a ", display_data map[text/plain:first], update_display_data map[text/plain:second], execute_result map[text/plain:third], stdout "b ", idle`},
		{"a fail b", "error", `busy, [3], stdout "a ", error Wrong: [it is wrong], idle`},
		{"", "ok", `busy, [4], idle`},
	} {
		id := c.execute(test.code)
		r := c.reply(c.shell)
		if r.Header.Type != "execute_reply" || r.Parent.ID != id || r.Content["status"] != test.status || r.Content["execution_count"] != float64(i+1) {
			t.Errorf("%q: %+v", test.code, r)
		}
		if got := c.heard(id); got != test.heard {
			t.Errorf("%q: everyone hears %s, want %s", test.code, got, test.heard)
		}
	}
	c.execute("page")
	if r := c.reply(c.shell); fmt.Sprint(r.Content["payload"]) != "[map[data:map[text/plain:a page] source:page start:0]]" {
		t.Errorf("pages: %v", r.Content["payload"])
	}
	// A fault of the kernel is the cell's, and the kernel lives on.
	c.execute("panic")
	if r := c.reply(c.shell); r.Content["status"] != "error" || !strings.Contains(r.Content["evalue"].(string), "as told") {
		t.Errorf("a panic: %v", r.Content)
	}
}

// A silent cell is neither shown, nor counted, nor remembered.
func TestSilence(t *testing.T) {
	c := connect(t)
	id := c.request(c.shell, "execute_request", map[string]any{"code": "a show fail", "silent": true, "store_history": true})
	if r := c.reply(c.shell); r.Content["status"] != "error" || r.Content["execution_count"] != 0.0 {
		t.Errorf("%v", r.Content)
	}
	if got := c.heard(id); got != "busy, idle" {
		t.Errorf("everyone hears %s", got)
	}
	c.request(c.shell, "history_request", map[string]any{"hist_access_type": "tail", "n": 10})
	if r := c.reply(c.shell); fmt.Sprint(r.Content["history"]) != "[]" {
		t.Errorf("remembered: %v", r.Content)
	}
}

// A cell that fails takes those that were queued behind it with it, and no others.
func TestQueuedCellsAreAborted(t *testing.T) {
	c := connect(t)
	first := c.execute("wait")
	<-c.kernel.started
	second, third := c.execute("a"), c.execute("b")
	asked := c.request(c.shell, "is_complete_request", map[string]any{"code": "complete"})
	for deadline := time.Now().Add(patient); len(c.server.queue) < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("requests are not read while a cell runs")
		}
	}
	c.request(c.control, "interrupt_request", map[string]any{})
	if r := c.reply(c.control); r.Header.Type != "interrupt_reply" || r.Content["status"] != "ok" {
		t.Errorf("%+v", r)
	}
	for _, want := range []struct{ id, kind, status string }{
		{first, "execute_reply", "error"}, {second, "execute_reply", "aborted"}, {third, "execute_reply", "aborted"}, {asked, "is_complete_reply", "complete"},
	} {
		if r := c.reply(c.shell); r.Parent.ID != want.id || r.Header.Type != want.kind || r.Content["status"] != want.status {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
	c.execute("c")
	if r := c.reply(c.shell); r.Content["status"] != "ok" || r.Content["execution_count"] != 2.0 {
		t.Errorf("the next cell: %v", r.Content)
	}
}

// An interrupt while nothing runs does nothing, by message or by signal; while
// something runs it ends that.
func TestInterrupt(t *testing.T) {
	c := connect(t)
	c.request(c.control, "interrupt_request", map[string]any{})
	c.reply(c.control)
	c.interrupts <- os.Interrupt
	c.execute("a")
	if r := c.reply(c.shell); r.Content["status"] != "ok" {
		t.Errorf("%v", r.Content)
	}
	c.execute("wait")
	<-c.kernel.started
	c.interrupts <- os.Interrupt
	if r := c.reply(c.shell); r.Content["status"] != "error" {
		t.Errorf("%v", r.Content)
	}
}

// Whoever lacks the key is not heard: neither asked nor answered.
func TestForgedMessages(t *testing.T) {
	c := connect(t)
	good, err := c.signer.write(nil, c.letters.header("execute_request"), nil, map[string]any{"code": "a"})
	if err != nil {
		t.Fatal(err)
	}
	change := func(part int, with string) [][]byte {
		frames := owned(good)
		frames[part] = []byte(with)
		return frames
	}
	stranger := signer{[]byte("another key")}
	foreign, err := stranger.write(nil, c.letters.header("execute_request"), nil, map[string]any{"code": "a"})
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := signer{}.write(nil, c.letters.header("execute_request"), nil, map[string]any{"code": "a"})
	if err != nil {
		t.Fatal(err)
	}
	forged := [][][]byte{
		foreign, unsigned, change(1, ""), change(1, "00"), change(1, strings.ToUpper(string(good[1]))),
		change(2, `{"msg_type": "shutdown_request"}`), change(3, `{"a": 1}`), change(4, `{"a": 1}`), change(5, `{"code": "fail"}`),
		good[:5], good[:2], good[:1], {[]byte("")}, {[]byte("x")}, change(0, "<IDS>"),
	}
	for _, frames := range forged {
		for _, s := range []zmq4.Socket{c.shell, c.control} {
			if err := s.Send(zmq4.NewMsgFrom(frames...)); err != nil {
				t.Fatal(err)
			}
		}
	}
	id := c.execute("b")
	if r := c.reply(c.shell); r.Parent.ID != id || r.Content["execution_count"] != 1.0 {
		t.Errorf("the first answer is %+v", r)
	}
	if got := c.heard(id); got != `busy, [1], stdout "b ", idle` {
		t.Errorf("everyone hears %s", got)
	}
	for deadline := time.Now().Add(patient); strings.Count(c.errors.String(), "a message was dropped") < 2*len(forged); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of %d bad messages are told\n%s", 2*len(forged), c.errors)
		}
	}
}

// What is signed but makes no sense gets an answer all the same, if any.
func TestMalformedRequests(t *testing.T) {
	c := connect(t)
	for _, kind := range []string{"execute", "complete", "inspect", "is_complete", "history"} {
		c.request(c.shell, kind+"_request", []int{1})
		if r := c.reply(c.shell); r.Header.Type != kind+"_reply" || r.Content["status"] != "error" {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	c.request(c.shell, "unheard_of_request", map[string]any{})
	id := c.request(c.shell, "comm_open", map[string]any{"comm_id": "7"})
	for {
		m := c.next()
		if m.Header.Type == "comm_close" {
			if m.Parent.ID != id || m.Content["comm_id"] != "7" {
				t.Errorf("%+v", m)
			}
			break
		}
	}
}

// Cursors are code points outside and bytes inside.
func TestCursors(t *testing.T) {
	c := connect(t)
	for _, test := range []struct {
		code             string
		cursor, from, to any
	}{
		{"ä ö", 3, 2.0, 3.0}, {"ä öx", 3, 2.0, 3.0}, {"日本 語", 99, 3.0, 4.0}, {"😀 a", nil, 2.0, 3.0}, {"", 0, 0.0, 0.0},
	} {
		asked := map[string]any{"code": test.code}
		if test.cursor != nil {
			asked["cursor_pos"] = test.cursor
		}
		c.request(c.shell, "complete_request", asked)
		if r := c.reply(c.shell); r.Content["cursor_start"] != test.from || r.Content["cursor_end"] != test.to || fmt.Sprint(r.Content["matches"]) != "[größer]" {
			t.Errorf("%q at %v: %v", test.code, test.cursor, r.Content)
		}
	}
	c.request(c.shell, "inspect_request", map[string]any{"code": "x", "cursor_pos": 0})
	if r := c.reply(c.shell); r.Content["found"] != true || fmt.Sprint(r.Content["data"]) != "map[text/plain:about x]" {
		t.Errorf("%v", r.Content)
	}
	c.request(c.shell, "inspect_request", map[string]any{"code": "nothing", "cursor_pos": 0})
	if r := c.reply(c.shell); r.Content["found"] != false || r.Content["status"] != "ok" {
		t.Errorf("%v", r.Content)
	}
}

func TestHistory(t *testing.T) {
	h := history{}
	for i, code := range []string{"a/b", "c", "a/d", "c"} {
		h.add(i+1, code)
	}
	three := 3
	for _, test := range []struct {
		sought
		want string
	}{
		{sought{Kind: "tail", N: 2}, "[{3 a/d} {4 c}]"},
		{sought{Kind: "tail", N: 9}, "[{1 a/b} {2 c} {3 a/d} {4 c}]"},
		{sought{Kind: "range", Start: 2, Stop: &three}, "[{2 c}]"},
		{sought{Kind: "range", Start: 2}, "[{2 c} {3 a/d} {4 c}]"},
		{sought{Kind: "search", Pattern: "a*"}, "[{1 a/b} {3 a/d}]"},
		{sought{Kind: "search", Pattern: "a*", N: 1}, "[{3 a/d}]"},
		{sought{Kind: "search", Pattern: "?"}, "[{2 c} {4 c}]"},
		{sought{Kind: "search", Pattern: "?", Unique: true}, "[{4 c}]"},
		{sought{Kind: "search", Pattern: "["}, "[]"},
	} {
		if got := fmt.Sprint(h.find(test.sought)); got != test.want {
			t.Errorf("%+v finds %s, want %s", test.sought, got, test.want)
		}
	}
}

// A shutdown ends Serve, also while a cell runs; the reply says whether a restart
// follows.
func TestShutdown(t *testing.T) {
	for _, busy := range []bool{false, true} {
		c := connect(t)
		if busy {
			c.execute("wait")
			<-c.kernel.started
		}
		c.request(c.control, "shutdown_request", map[string]any{"restart": busy})
		if r := c.reply(c.control); r.Header.Type != "shutdown_reply" || r.Content["restart"] != busy {
			t.Errorf("%+v", r)
		}
		c.end()
		for _, port := range []int{c.c.Shell, c.c.Control, c.c.IOPub, c.c.Stdin, c.c.Heartbeat} {
			if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				conn.Close()
				t.Errorf("port %d still answers", port)
			}
		}
	}
}

func TestHeartbeat(t *testing.T) {
	c := connect(t)
	hb := zmq4.NewReq(context.Background())
	defer hb.Close()
	if err := hb.Dial(c.c.endpoint(c.c.Heartbeat)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"ping", "and again"} {
		if err := hb.Send(zmq4.NewMsgString(text)); err != nil {
			t.Fatal(err)
		}
		m, err := hb.Recv()
		if err != nil || string(m.Bytes()) != text {
			t.Errorf("%q comes back as %q, %v", text, m.Bytes(), err)
		}
	}
}

// A kernel listens where only this machine can reach it, and refuses to do else.
func TestLoopbackOnly(t *testing.T) {
	for _, change := range []func(*Connection){
		func(c *Connection) { c.IP = "0.0.0.0" }, func(c *Connection) { c.IP = "" }, func(c *Connection) { c.IP = "*" },
		func(c *Connection) { c.IP = "192.168.1.2" }, func(c *Connection) { c.IP = "::" }, func(c *Connection) { c.IP = "localhost.example.org" },
		func(c *Connection) { c.Transport = "ipc" }, func(c *Connection) { c.SignatureScheme = "hmac-md5" },
		func(c *Connection) { c.Shell = 0 }, func(c *Connection) { c.Heartbeat = 70000 },
	} {
		c := connection(t)
		change(c)
		if err := Serve(context.Background(), c, &parrot{}, Options{}); err == nil {
			t.Errorf("%+v is served", c)
		}
	}
	// A port that is taken is an error, and the others are let go.
	c := connection(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", c.Heartbeat))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := Serve(context.Background(), c, &parrot{}, Options{}); err == nil || !strings.Contains(err.Error(), "heartbeat") {
		t.Errorf("a port that is taken: %v", err)
	}
}

// The context that watches a parent ends when that process has ended.
func TestWithParent(t *testing.T) {
	t.Setenv(parentVariable, "")
	ctx, cancel := WithParent(context.Background())
	if ctx.Err() != nil {
		t.Error("it ends without a parent")
	}
	cancel()
	t.Setenv(parentVariable, fmt.Sprint(os.Getpid()))
	ctx, cancel = WithParent(context.Background())
	defer cancel()
	if ctx.Err() != nil {
		t.Error("it ends while the parent lives")
	}
	child, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
	if err != nil {
		t.Skipf("no process to watch: %v", err)
	}
	if _, err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(parentVariable, fmt.Sprint(child.Pid))
	ctx, cancel = WithParent(context.Background())
	defer cancel()
	select {
	case <-ctx.Done():
	case <-time.After(patient):
		t.Error("it does not end with the parent")
	}
}
