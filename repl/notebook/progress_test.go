package notebook

import (
	"context"
	"encoding/base64"
	"image"
	"image/jpeg"
	"regexp"
	"strings"
	"testing"
	"time"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/jupyter"
	"occlude/lang"
)

// The bar is one display, which goes away when something else is shown.
func TestProgress(t *testing.T) {
	for _, c := range []struct {
		before bool
		want   string
	}{
		{false, "display_data text/html text/plain, update_display_data text/html text/plain, clear_output"},
		{true, "stream stdout, display_data text/html text/plain, update_display_data text/html text/plain, update_display_data"},
	} {
		s := &shown{}
		out := s.output(t)
		if c.before {
			out.Stream(jupyter.Stdout, "before")
		}
		p := &progress{out: out, name: "bar"}
		draw := func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.draw()
		}
		p.takeAway() // there is none
		p.Start("folder/<a>.png", 0)
		p.Expect(10)
		draw()
		p.Add(5)
		time.Sleep(time.Millisecond)
		draw()
		if text := s.all[len(s.all)-1].data["text/plain"]; !regexp.MustCompile(`^<a>\.png: 5 of 10 positions \(50%\), \d+ a second, 1 s left$`).MatchString(text) {
			t.Errorf("it says %q", text)
		}
		p.Finish()
		p.takeAway()
		p.takeAway()
		if s.kinds() != c.want {
			t.Errorf("%s, want %s", s.kinds(), c.want)
		}
		for _, o := range s.all {
			check(t, o.data)
			if o.kind != "stream" && o.kind != "clear_output" && o.id != "bar" {
				t.Errorf("%+v is another display", o)
			}
			if text := o.data["text/plain"]; text != "" && !strings.HasPrefix(text, "<a>.png: ") {
				t.Errorf("it says %q", text)
			}
		}
	}
}

// What takes long shows a bar without being asked, and above it the heat map as far as
// it is known, again and again; both make place for the result: of a cancelled query what
// is known by then.
func TestGrowing(t *testing.T) {
	k := session(t)
	if _, err := run(t, k, "SET threads = 1; SET progressive = on"); err != nil { // as kernels begin
		t.Fatal(err)
	}
	s := &shown{}
	out := s.output(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- k.Execute(ctx, jupyter.Cell{Code: "OCCLUDE 'images/clear.png' USING chest STRIDE 1 FOR TOP 2 WITH (plan = full);"}, out)
	}()
	var seen output
	late := time.After(time.Minute)
	for drawn := map[string]bool{}; len(drawn) < 2; {
		select {
		case err := <-done:
			t.Fatalf("it ends with %v after %s", err, s.kinds())
		case <-late:
			t.Fatalf("the map has been drawn %d times", len(drawn))
		case <-time.After(10 * time.Millisecond):
		}
		s.mu.Lock()
		for _, o := range s.all {
			if page, _, found := strings.Cut(o.data["text/html"], "<progress"); found && page != "" {
				seen, drawn[page] = o, true
			}
		}
		s.mu.Unlock()
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("the interrupt is not heard")
	}
	before, after, _ := strings.Cut(s.kinds(), ", clear_output, ")
	if !strings.HasPrefix(before, "display_data text/html text/plain") || !strings.HasPrefix(after, "display_data image/png text/plain") {
		t.Errorf("it shows %s", s.kinds())
	}
	if _, picture := seen.data["image/png"]; picture { // a console would open a window
		t.Errorf("the bar is %s", s.kinds())
	}
	check(t, seen.data)
	pictures := regexp.MustCompile(`data:image/jpeg;base64,([^"]*)"`).FindAllStringSubmatch(seen.data["text/html"], -1)
	if len(pictures) != 2 {
		t.Fatalf("%d pictures of two classes", len(pictures))
	}
	for _, p := range pictures {
		m, err := jpeg.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(p[1])))
		if err != nil || m.Bounds() != image.Rect(0, 0, growingSide, growingSide) {
			t.Errorf("a picture of %v, %v", m, err)
		}
	}
}

// A map is not drawn again before it has grown, nor so soon that drawing would take
// much of the time.
func TestGrowingCosts(t *testing.T) {
	k := session(t)
	w := &watcher{}
	k.engine.Session.Progress = w
	if err := k.engine.Run(t.Context(), engine.Text{Source: "OCCLUDE 'images/clear.png' USING chest STRIDE 104;"}, func(lang.Statement, executor.Result) error { return nil }); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	g := growing{of: w.growing}
	first := g.html(now)
	if !strings.Contains(first, "<img") || !g.next.After(now) || g.known != 9 {
		t.Fatalf("%d positions: %.200s; again after %v", g.known, first, g.next.Sub(now))
	}
	g.known = 8 // as if it had grown
	if g.html(now); g.known != 8 {
		t.Error("it is drawn too soon")
	}
	if again := g.html(g.next); g.known != 9 || again != first {
		t.Errorf("it is not drawn when it may be: %.200s", again)
	}
	g.ground = nil
	if g.html(g.next); g.ground != nil {
		t.Error("it is drawn though nothing has changed")
	}
}

// watcher keeps the map that was watched last.
type watcher struct {
	executor.Progress
	growing *executor.Growing
}

func (*watcher) Start(string, int)           {}
func (*watcher) Add(int)                     {}
func (*watcher) Finish()                     {}
func (w *watcher) Watch(g *executor.Growing) { w.growing = g }
