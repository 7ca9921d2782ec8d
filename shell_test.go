package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// patience is how long a screen may take to become what it should be. It is waited for
// only where something is wrong, or when screens are written anew.
const patience = 60 * time.Second

// TestShell types into the shell in a real terminal, that of tmux, and looks at its
// screen. The files of testdata/shell are sessions; go test . -run TestShell -rewrite
// writes the screens below what is typed, to be read as one reads a diff. Commands are
//
//	start [args=(...)] [size=72x16] [env=(K=V,...)]   runs occlude in an empty window
//	type        types lines, each with Enter, and waits for the next prompt
//	write       types a line without Enter
//	keys        names of keys: C-c Up Tab Enter
//	paste       pastes its lines as a terminal does
//	colors      the screen with its colours: ‹36›SHOW‹›
//	look [running] [keys=C-c]   waits until something runs, if need be, types the keys, and
//	            waits until the screen has what a regular expression says
//	resize W H
//	signal TERM sends the shell a signal
//	file NAME   writes a file into the folder in which the shell runs, or prints one
//
// and what is expected is the screen, but for look, colors and file.
func TestShell(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		message := "no tmux to run the shell in; on Debian: apt-get install --yes tmux"
		if os.Getenv("OCCLUDE_CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	binary, err := exec.LookPath("occlude") // see TestMain
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, "testdata/shell", func(t *testing.T, path string) {
		w := newWindow(t, binary)
		datadriven.RunTest(t, path, w.do)
	})
}

// window is a terminal in which the shell runs.
type window struct {
	t              *testing.T
	binary, socket string
	folder, home   string
	sessions       int // that were started; the last is looked at
}

func newWindow(t *testing.T, binary string) *window {
	dir := t.TempDir()
	w := &window{t: t, binary: binary, socket: filepath.Join(dir, "tmux"), folder: filepath.Join(dir, "examples"), home: filepath.Join(dir, "home")}
	if err := os.CopyFS(w.folder, os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.home, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.sessions > 0 {
			w.tmux("kill-server")
		}
	})
	return w
}

// tmux runs a command of tmux's.
func (w *window) tmux(args ...string) string {
	w.t.Helper()
	c := exec.Command("tmux", append([]string{"-u", "-S", w.socket, "-f", "/dev/null"}, args...)...)
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TMUX=")
	out, err := c.CombinedOutput()
	if err != nil {
		w.t.Fatalf("tmux %s: %v\n%s", args, err, out)
	}
	return string(out)
}

// session is the name of the last one.
func (w *window) session() string { return strconv.Itoa(w.sessions) }

// pane runs a command of tmux's on the terminal.
func (w *window) pane(command string, args ...string) string {
	w.t.Helper()
	return w.tmux(append([]string{command, "-t", w.session() + ":"}, args...)...)
}

// do runs one command of a session.
func (w *window) do(t *testing.T, d *datadriven.TestData) string {
	w.t = t
	switch d.Cmd {
	case "start":
		w.start(d)
	case "write":
		w.send(d.Input)
	case "type":
		for _, line := range strings.Split(d.Input, "\n") {
			if w.send(line); line != "" {
				w.prompted(false)
			}
			w.pane("send-keys", "Enter")
			w.prompted(true)
		}
	case "keys":
		w.pane("send-keys", strings.Fields(d.Input)...)
	case "paste":
		path := filepath.Join(w.home, "pasted")
		if err := os.WriteFile(path, []byte(d.Input+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.tmux("load-buffer", path)
		w.pane("paste-buffer", "-p", "-d")
	case "resize":
		w.resize(d.CmdArgs[0].Key, d.CmdArgs[1].Key)
	case "look":
		if d.HasArg("running") {
			w.await()
		}
		if keys, ok := d.Arg("keys"); ok {
			w.pane("send-keys", keys.Vals...)
		}
		return w.look(regexp.MustCompile(d.Input))
	case "signal":
		out, err := exec.Command("pkill", "-"+d.CmdArgs[0].Key, "-P", strings.TrimSpace(w.pane("display-message", "-p", "#{pane_pid}"))).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	case "colors":
		return w.expect(d.Expected, func() string { return painted(w.pane("capture-pane", "-p", "-e")) })
	case "file":
		return w.file(d)
	default:
		t.Fatalf("%s: there is no command %s", d.Pos, d.Cmd)
	}
	return w.expect(d.Expected, func() string { return screen(w.pane("capture-pane", "-p")) })
}

// start runs the shell; below it stands with which status it ends, and whether it left
// the terminal as it was.
func (w *window) start(d *datadriven.TestData) {
	args, size, env := "", "72x16", []string{}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "args":
			args = strings.Join(a.Vals, " ")
		case "size":
			size = a.Vals[0]
		case "env":
			env = a.Vals
		default:
			w.t.Fatalf("%s: %s?", d.Pos, a.Key)
		}
	}
	width, height, _ := strings.Cut(size, "x")
	w.sessions++
	run := []string{"new-session", "-d", "-s", w.session(), "-x", width, "-y", height, "-c", w.folder}
	for _, v := range append([]string{"HOME=../home", "OCCLUDE_DATA=../home", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "OCCLUDE_RC=", "NO_COLOR=",
		"TERM_GRAPHICS=none", "VISUAL=", "EDITOR=", "INPUTRC=/dev/null", "LC_ALL=C.UTF-8", "TMPDIR=" + w.home}, env...) {
		run = append(run, "-e", v)
	}
	const whole = `trap : INT; before=$(stty -g); '%s' %s; echo "[status $?]"; [ "$(stty -g)" = "$before" ] && echo '[terminal as before]'; exec sleep 600`
	w.tmux(append(run, "sh", "-c", fmt.Sprintf(whole, w.binary, args))...)
	if w.sessions > 1 {
		w.tmux("kill-session", "-t", fmt.Sprintf("=%d", w.sessions-1))
	}
}

// send types a text. tmux takes a semicolon at its end for one of its own.
func (w *window) send(text string) {
	if text == "" {
		return
	}
	if strings.HasSuffix(text, ";") {
		text = strings.TrimSuffix(text, ";") + `\;`
	}
	w.pane("send-keys", "-l", "--", text)
}

// prompted waits until the shell reads at a prompt with nothing behind it, or has
// ended; or until it does not.
func (w *window) prompted(want bool) {
	w.t.Helper()
	w.until("there is no prompt", func() bool {
		lines := strings.Split(strings.TrimRight(screen(w.pane("capture-pane", "-p")), "\n"), "\n")
		return ready.MatchString(lines[len(lines)-1]) == want
	})
}

// until waits for something, or fails.
func (w *window) until(failure string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s:\n%s", failure, w.pane("capture-pane", "-p"))
		}
	}
}

// ready is the last line when the shell reads, or has ended.
var ready = regexp.MustCompile(`^(occlude.>|\[.*\])$`)

// stty asks about the terminal.
func (w *window) stty(what string) string {
	out, err := exec.Command("stty", "-F", strings.TrimSpace(w.pane("display-message", "-p", "#{pane_tty}")), what).Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

// await waits until the terminal is as it is while something runs: Ctrl-C is a signal
// then.
func (w *window) await() {
	canonical := regexp.MustCompile(`(^|\s)icanon`)
	w.until("nothing runs", func() bool { return canonical.MatchString(w.stty("-a")) })
}

// resize changes the window, and waits until the terminal knows.
func (w *window) resize(width, height string) {
	w.pane("resize-window", "-x", width, "-y", height)
	w.until("it is not resized", func() bool { return w.stty("size") == height+" "+width+"\n" })
}

// look waits until the screen has something.
func (w *window) look(pattern *regexp.Regexp) string {
	w.until("no "+pattern.String(), func() bool { return pattern.MatchString(screen(w.pane("capture-pane", "-p"))) })
	return "seen\n"
}

// file writes or prints a file.
func (w *window) file(d *datadriven.TestData) string {
	path := filepath.Join(w.folder, d.CmdArgs[0].Key)
	if name, ok := strings.CutPrefix(d.CmdArgs[0].Key, "~/"); ok {
		path = filepath.Join(w.home, name)
	}
	if d.Input != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(d.Input+"\n"), 0o700); err != nil {
			w.t.Fatal(err)
		}
		return ""
	}
	return w.expect(d.Expected, func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			return "no file\n"
		}
		return string(text)
	})
}

// expect waits until what is seen is what is expected, or where that is written anew,
// until it stays as it is.
func (w *window) expect(want string, see func() string) string {
	if flag.Lookup("rewrite").Value.String() == strconv.FormatBool(true) {
		return settled(see)
	}
	var got string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got = see(); got == want {
			return got
		}
	}
	return got
}

// settled looks until nothing has changed for a while.
func settled(see func() string) string {
	const quiet = 800 * time.Millisecond
	got, since := see(), time.Now()
	for deadline := time.Now().Add(patience); time.Since(since) < quiet && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if now := see(); now != got {
			got, since = now, time.Now()
		}
	}
	return got
}

var (
	escape = regexp.MustCompile(`\x1b\[([0-9;]*)m`)
	took   = regexp.MustCompile(`(?m)^Time: .*$`)
)

// screen is what a terminal shows, without what differs from run to run.
func screen(captured string) string {
	captured = strings.ReplaceAll(captured, version(), "occlude VERSION")
	captured = took.ReplaceAllString(captured, "Time: ...")
	var lines []string
	for _, line := range strings.Split(captured, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// painted writes colours so that they can be read.
func painted(captured string) string {
	return screen(escape.ReplaceAllStringFunc(captured, func(e string) string {
		code := escape.FindStringSubmatch(e)[1]
		if code == "0" || code == "39" {
			code = ""
		}
		return fmt.Sprintf("‹%s›", code)
	}))
}
