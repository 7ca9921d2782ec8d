package shell_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/internal/engine"
	"occlude/repl"
	"occlude/repl/command"
	"occlude/repl/history"
	"occlude/repl/shell"
)

// loop runs a shell over an input that ends and gives what it printed.
func loop(t *testing.T, input string) (out, errs string) {
	t.Helper()
	var o, x strings.Builder
	if err := newShell(engine.New(), strings.NewReader(input), &o, &x).Run(context.Background()); err != nil {
		t.Fatalf("%q: %v", input, err)
	}
	return o.String(), x.String()
}

// newShell makes a shell that reads line by line, with prompts.
func newShell(e *engine.Engine, in io.Reader, out, errs io.Writer) *shell.Shell {
	s := &command.Session{Engine: e, Printer: &repl.Printer{Out: out, Settings: &e.Session.Settings}, Err: errs}
	return &shell.Shell{Session: s, In: in, Err: errs, Prompts: true}
}

const one, more = "occlude=> ", "occlude-> "

func TestLoop(t *testing.T) {
	threads := " threads \n---------\n 3       \n(1 row)\n"
	for _, c := range []struct{ input, out, errs string }{
		{"", "", one + "\n"},
		{"exit\nSHOW threads;\n", "", one},
		{"QUIT;\n", "", one},
		{"\\q\n", "", one},
		{"SET threads = 3;\nSHOW threads;\n", "SET\n" + threads, one + one + one + "\n"},
		{"SET threads = 3; SHOW\n\nthreads\n;\n", "SET\n" + threads, one + more + more + more + one + "\n"},
		{"SET threads\n= 3; SHOW threads;\n", "SET\n" + threads, one + more + one + "\n"},
		{"\n\n  \n", "", one + one + one + one + "\n"},
		{"/* exit\nexit */ SET threads = 3;\nexit\n", "SET\n", one + "occlude*> " + one},
		// The last result is there for what is typed next.
		{"SELECT 1 AS a;\nSELECT a\n  FROM last;\n", " a \n---\n 1 \n(1 row)\n a \n---\n 1 \n(1 row)\n", one + one + more + one + "\n"},
		// An error does not end the loop, and later statements count lines anew.
		{"SET threads = 3;\nSHOW wibble;\nSHOW threads;\n", "SET\n" + threads,
			one + one + "1:6: error: there is no setting \"wibble\"\n  SHOW wibble;\n       ^~~~~~\n  hint: SHOW ALL; lists the settings\n" + one + one + "\n"},
		// The input may end without a line end, but not without a semicolon.
		{"SET threads = 3;\nSHOW threads;", "SET\n" + threads, one + one + one + "\n"},
	} {
		out, errs := loop(t, c.input)
		if out != c.out || errs != c.errs {
			t.Errorf("%q prints\n%q, want\n%q\nand shows\n%q, want\n%q", c.input, out, c.out, errs, c.errs)
		}
	}
	if out, errs := loop(t, "SHOW threads"); out != "" || !strings.Contains(errs, ";") || !strings.Contains(errs, "error") {
		t.Errorf("an unfinished statement prints %q and shows %q", out, errs)
	}
}

// safe is a buffer that several goroutines use.
type safe struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// conversation is a loop that a test talks to.
type conversation struct {
	t          *testing.T
	in         *io.PipeWriter
	out, errs  *safe
	interrupts chan os.Signal
	engine     *engine.Engine
	cancel     context.CancelFunc
	ended      chan error
}

func converse(t *testing.T) *conversation {
	r, w := io.Pipe()
	c := &conversation{t: t, in: w, out: &safe{}, errs: &safe{}, interrupts: make(chan os.Signal), engine: engine.New(), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	l := newShell(c.engine, r, c.out, c.errs)
	l.Interrupts = c.interrupts
	go func() { c.ended <- l.Run(ctx) }()
	return c
}

func (c *conversation) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// until waits for a text to appear.
func (c *conversation) until(where *safe, text string) {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(where.String(), text); runtime.Gosched() {
		if time.Now().After(deadline) {
			c.t.Fatalf("no %q in\n%s", text, where)
		}
	}
}

func (c *conversation) end() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(30 * time.Second):
		c.t.Fatal("the loop does not end")
	}
	return nil
}

// Ctrl-C ends the statement that runs; the loop goes on.
func TestInterruptEndsTheStatement(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(examples)
	before := runtime.NumGoroutine()
	c := converse(t)
	c.say("CREATE MODEL m FROM 'models/chest.onnx';")
	c.until(c.out, "CREATE MODEL m")
	started := make(chan struct{}, 1)
	c.engine.Session.Progress = progress{started}
	for range 2 {
		c.say("OCCLUDE 'images/clear.png' USING m STRIDE 1;")
		<-started
		c.interrupts <- os.Interrupt
	}
	c.say("SHOW threads;")
	c.until(c.out, "(1 row)")
	if n := strings.Count(c.errs.String(), "interrupted at image \"images/clear.png\""); n != 2 {
		t.Errorf("%d interruptions in\n%s", n, c.errs)
	}
	c.say("exit")
	if err := c.end(); err != nil {
		t.Error(err)
	}
	c.in.Close()
	for deadline := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

type progress struct{ started chan struct{} }

func (p progress) Start(string, int)   { p.started <- struct{}{} }
func (progress) Next(string, int, int) {}
func (progress) Expect(int)            {}
func (progress) Add(int)               {}
func (progress) Finish()               {}

// Ctrl-C at the prompt throws away what was typed.
func TestInterruptAtThePrompt(t *testing.T) {
	c := converse(t)
	c.say("SHOW")
	c.until(c.errs, more)
	c.interrupts <- os.Interrupt
	c.say("SET threads = 3;")
	c.until(c.out, "SET\n")
	c.in.Close()
	if err := c.end(); err != nil {
		t.Error(err)
	}
	if strings.Contains(c.errs.String(), "error") {
		t.Errorf("shown: %s", c.errs)
	}
}

// The context ends the loop, while it waits and while it runs.
func TestContextEndsTheLoop(t *testing.T) {
	c := converse(t)
	c.say("SHOW ALL;")
	c.until(c.out, "rows)")
	c.cancel()
	if err := c.end(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.in.Close()
}

// A line that cannot be read ends the loop with an error.
func TestEndlessLine(t *testing.T) {
	l := newShell(engine.New(), strings.NewReader(strings.Repeat("x", 17<<20)), io.Discard, io.Discard)
	if err := l.Run(context.Background()); err == nil {
		t.Error("17 MiB without a line end are read")
	}
}

// A second Ctrl-C does not wait for the first.
func TestSecondInterrupt(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(examples)
	c := converse(t)
	c.say("CREATE MODEL m FROM 'models/chest.onnx';")
	c.until(c.out, "CREATE MODEL m")
	begun, held := make(chan struct{}), make(chan struct{})
	c.engine.Session.Progress = stuck{begun: begun, held: held}
	c.say("OCCLUDE 'images/clear.png' USING m STRIDE 104;")
	<-begun
	c.interrupts <- os.Interrupt
	c.interrupts <- os.Interrupt
	if err := c.end(); !errors.Is(err, shell.ErrInterrupted) {
		t.Error(err)
	}
	close(held)
	c.in.Close()
}

// stuck is a progress that a query waits for, whoever interrupts it.
type stuck struct {
	progress
	begun, held chan struct{}
}

func (s stuck) Start(string, int) {
	close(s.begun)
	<-s.held
}

// Lines that nobody typed have no prompts and no history, and tell in the end that
// something failed; commands in them are run.
func TestUnattended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	for _, c := range []struct {
		input, out, errs string
		want             error
	}{
		{"SELECT 1 AS a;\n\\format csv\nSELECT 2 AS b;\n", " a \n---\n 1 \n(1 row)\nb\n2\n", "Format is csv.\n", nil},
		{"\\format csv\nSHOW wibble;\nSELECT 2 AS b;\n", "b\n2\n", "Format is csv.\n1:6: error: there is no setting \"wibble\"\n  SHOW wibble;\n       ^~~~~~\n  hint: SHOW ALL; lists the settings\n", shell.ErrFailed},
		{"\\q\nSHOW wibble;\n", "", "", nil},
		{"SHOW wibble;\n\\q\n", "", "1:6: error: there is no setting \"wibble\"\n  SHOW wibble;\n       ^~~~~~\n  hint: SHOW ALL; lists the settings\n", shell.ErrFailed},
	} {
		var out, errs strings.Builder
		s := newShell(engine.New(), strings.NewReader(c.input), &out, &errs)
		s.Prompts, s.History = false, history.Open(path)
		if err := s.Run(context.Background()); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%q: %v", c.input, err)
		}
		if out.String() != c.out || errs.String() != c.errs {
			t.Errorf("%q prints %q and shows %q", c.input, out.String(), errs.String())
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a history")
	}
}
