package live

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"occlude/executor"
)

// steered is the variable with the file that steers a process of steeredQuery.
const steered = "OCCLUDE_TEST_LIVE"

func TestMain(m *testing.M) {
	if file := os.Getenv(steered); file != "" {
		if err := steeredQuery(file); err != nil {
			fmt.Println(err)
		}
		return
	}
	os.Exit(m.Run())
}

// steeredQuery shows on this terminal a map of which as many positions are known as a
// file says, until that says -1 or Ctrl-C is pressed.
func steeredQuery(file string) error {
	h, err := run("OCCLUDE 'images/nodule.png' USING chest STRIDE 8;")
	if err != nil {
		return err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	var s executor.Session
	d := Show(&s, os.Stderr, os.Getenv)
	if s.Progress != executor.Progress(d) || !s.Settings.Progressive() {
		return fmt.Errorf("the session shows itself by %v", s.Progress)
	}
	g := &growth{whole: h}
	d.Start("images/nodule.png", len(h.States))
	defer d.Finish()
	d.watch(g)
	for known := 0; ; {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		now, err := strconv.Atoi(string(data))
		if now < 0 || err != nil {
			return err
		}
		g.grow(now-known, -1)
		d.Add(now - known)
		known = now
		select {
		case <-time.After(20 * time.Millisecond):
		case <-interrupted:
			return nil
		}
	}
}

// pane is a terminal drawn by tmux.
type pane struct {
	t      *testing.T
	socket string
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-L", p.socket, "-f", os.DevNull}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// screen is what stands in the pane, and what left it at the top.
func (p *pane) screen() string {
	p.t.Helper()
	return strings.TrimRight(p.tmux("capture-pane", "-p", "-S", "-"), "\n ")
}

// wait waits for a screen and gives it back.
func (p *pane) wait(what string, as func(screen string) bool) string {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		s := p.screen()
		if as(s) {
			return s
		}
		if time.Now().After(end) {
			p.t.Fatalf("no %s:\n%s", what, s)
		}
	}
}

// In a real terminal, as far as tmux is one: the map grows, fits into the window that is
// resized, and leaves nothing behind, whether the query ends or is cancelled.
func TestInTmux(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("OCCLUDE_CI") != "" {
			t.Fatal(err)
		}
		t.Skip("needs tmux (apt-get install tmux)")
	}
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(p *pane, steer func(int)){
		"end":    func(_ *pane, steer func(int)) { steer(-1) },
		"cancel": func(p *pane, _ func(int)) { p.tmux("send-keys", "C-c") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "known")
			steer := func(known int) {
				if err := os.WriteFile(file+".new", []byte(strconv.Itoa(known)), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(file+".new", file); err != nil {
					t.Fatal(err)
				}
			}
			steer(0)
			p := &pane{t, fmt.Sprintf("occlude-live-%s-%d", name, os.Getpid())}
			script := fmt.Sprintf("trap : INT; echo before; cd '%s'; env -u NO_COLOR -u TERM_GRAPHICS COLORTERM=truecolor %s='%s' '%s'; echo after; exec sleep 1000", examples, steered, file, program)
			p.tmux("new-session", "-d", "-x", "100", "-y", "45", "sh", "-c", script)
			defer exec.Command("tmux", "-L", p.socket, "kill-server").Run()

			p.wait("beginning", func(s string) bool { return strings.Contains(s, "nodule.png    0% ───") })
			whole := func(percent string) func(string) bool {
				return func(s string) bool {
					lines := strings.Split(s, "\n")
					return len(lines) > 8 && lines[0] == "before" && strings.Contains(lines[1], percent) && strings.HasPrefix(lines[2], "nodule  ") &&
						strings.HasPrefix(lines[3], "▀▀▀▀") && strings.Contains(lines[len(lines)-1], "at (") &&
						strings.Count(s, "%") == 1 && strings.Count(s, "p₀") == 1 && strings.Count(s, "p drop") == 1
				}
			}
			steer(200)
			p.wait("picture at 27%", whole(" 27% "))
			first := p.tmux("capture-pane", "-p", "-e")
			steer(500)
			p.wait("picture at 68%", whole(" 68% "))
			if p.tmux("capture-pane", "-p", "-e") == first {
				t.Error("the picture has not grown")
			}
			for _, size := range [][2]int{{70, 30}, {110, 50}, {100, 20}} {
				time.Sleep(time.Second) // as long as the process takes to hear of a size and to draw for it
				p.tmux("resize-window", "-x", fmt.Sprint(size[0]), "-y", fmt.Sprint(size[1]))
				s := p.wait(fmt.Sprintf("picture in %v", size), func(s string) bool {
					return whole(" 68% ")(s) && strings.Count(s, "\n") <= size[1]-1
				})
				if n := strings.Count(s, "\n"); size[1] < 30 && n != size[1]-1 { // without the line "before"
					t.Errorf("a picture of %d lines in %v:\n%s", n, size, s)
				}
			}
			end(p, steer)
			s := p.wait("end", func(s string) bool { return strings.HasSuffix(s, "after") })
			if s != "before\nafter" && s != "before\n^Cafter" {
				t.Errorf("left is\n%s", s)
			}
			if at := strings.TrimSpace(p.tmux("display-message", "-p", "#{cursor_flag}")); at != "1" {
				t.Error("the cursor is hidden")
			}
		})
	}
}
