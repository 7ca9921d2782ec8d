package jupyter

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

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

// A cell is interrupted even while a subscriber that does not read holds up all that
// is published.
func TestInterruptIsNotHeldUp(t *testing.T) {
	c := connect(t)
	for _, kind := range []string{"interrupt_request", "shutdown_request"} {
		c.execute("wait")
		<-c.kernel.started
		c.server.sockets.iopub.mu.Lock()
		id := c.request(c.control, kind, map[string]any{})
		select {
		case <-c.kernel.stopped:
		case <-time.After(patient):
			t.Errorf("%s waits for the subscriber", kind)
		}
		c.server.sockets.iopub.mu.Unlock()
		if r := c.reply(c.shell); r.Content["status"] != "error" {
			t.Errorf("%v", r.Content)
		}
		c.reply(c.control)
		for r := c.next(); r.Parent.ID != id || r.Content["execution_state"] != "idle"; r = c.next() {
			// Nothing of this request is left that the next lock would hold up.
		}
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
	// Nor what cannot be answered, for want of a header.
	for _, header := range []string{"", "null", "{}", "[]", "x", `{"msg_type": "kernel_info_request"}`, `{"msg_id": "1"}`} {
		parts := [4][]byte{[]byte(header), good[3], good[4], good[5]}
		forged = append(forged, append([][]byte{delimiter, c.signer.sign(parts)}, parts[:]...))
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
	h := history{past: []remembered{{earlierSession, 1, "c"}, {earlierSession, 2, "x"}}}
	for i, code := range []string{"a/b", "c", "a/d", "c"} {
		h.add(i+1, code)
	}
	three := 3
	for _, test := range []struct {
		sought
		want string
	}{
		{sought{Kind: "tail", N: 2}, "[{2 3 a/d} {2 4 c}]"},
		{sought{Kind: "tail", N: 5}, "[{1 2 x} {2 1 a/b} {2 2 c} {2 3 a/d} {2 4 c}]"},
		{sought{Kind: "tail"}, "[{1 1 c} {1 2 x} {2 1 a/b} {2 2 c} {2 3 a/d} {2 4 c}]"},
		{sought{Kind: "range", Start: 2, Stop: &three}, "[{2 2 c}]"},
		{sought{Kind: "range", Session: 2, Start: 2}, "[{2 2 c} {2 3 a/d} {2 4 c}]"},
		{sought{Kind: "range", Session: 1, Start: 2}, "[{1 2 x}]"},
		{sought{Kind: "range", Session: -1}, "[{1 1 c} {1 2 x}]"},
		{sought{Kind: "range", Session: -2}, "[]"},
		{sought{Kind: "search", Pattern: "a*"}, "[{2 1 a/b} {2 3 a/d}]"},
		{sought{Kind: "search", Pattern: "a*", N: 1}, "[{2 3 a/d}]"},
		{sought{Kind: "search", Pattern: "?"}, "[{1 1 c} {1 2 x} {2 2 c} {2 4 c}]"},
		{sought{Kind: "search", Pattern: "?", Unique: true}, "[{1 2 x} {2 4 c}]"},
		{sought{Kind: "search", Pattern: "["}, "[]"},
	} {
		if got := fmt.Sprint(h.find(test.sought)); got != test.want {
			t.Errorf("%+v finds %s, want %s", test.sought, got, test.want)
		}
	}
}

// diary keeps cells until it is broken.
type diary struct {
	entries []string
	broken  bool
	asked   int
}

func (d *diary) Entries() ([]string, error) {
	d.asked++
	return slices.Clone(d.entries), nil
}

func (d *diary) Add(code string) error {
	d.asked++
	if d.broken {
		return errors.New("no paper")
	}
	d.entries = append(d.entries, code)
	return nil
}

// A session finds what was typed in others, and keeps its own cells for them; one that
// cannot says so once and goes on.
func TestPast(t *testing.T) {
	past := &diary{entries: []string{"before"}}
	var said lines
	s := &server{past: past, log: log.New(&said, "", 0)}
	s.remember(1, "mine")
	past.entries = append(past.entries, "another's")
	past.broken = true
	s.remember(2, "lost")
	asked := past.asked
	s.remember(3, "lost, too")
	if past.asked != asked || strings.Count(said.String(), "no paper") != 1 {
		t.Errorf("asked %d times more; said %q", past.asked-asked, said.String())
	}
	got, err := s.recall(&request{content: []byte(`{"hist_access_type": "tail", "n": 9, "output": true}`)})
	if err != nil {
		t.Fatal(err)
	}
	want := "map[history:[[1 1 [before <nil>]] [2 1 [mine <nil>]] [2 2 [lost <nil>]] [2 3 [lost, too <nil>]]] status:ok]"
	if fmt.Sprint(got) != want || !slices.Equal(past.entries, []string{"before", "mine", "another's"}) {
		t.Errorf("%v; kept %q", got, past.entries)
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
