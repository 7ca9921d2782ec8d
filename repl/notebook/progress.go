package notebook

import (
	"fmt"
	"html"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"occlude/executor"
	"occlude/internal/jupyter"
	"occlude/planner"
)

const (
	// unseen is how long work goes on without a bar: most is done by then.
	unseen = 400 * time.Millisecond
	// interval is the time between two updates.
	interval = 300 * time.Millisecond
)

// progress shows how far a cell is: a bar, and above it the heat map as far as it is
// known. It implements executor.Watcher.
type progress struct {
	out  *jupyter.Output
	name string // of the display

	done atomic.Int64 // positions; workers never wait for what is being drawn

	mu    sync.Mutex // for all below
	image string
	total int
	heat  growing
	began time.Time
	timer *time.Timer
	made  bool // the cell has the display
	shown bool // and a bar is in it
}

// Start implements executor.Progress.
func (p *progress) Start(image string, positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.done.Store(0)
	p.image, p.total, p.heat, p.began = filepath.Base(image), positions, growing{}, time.Now()
	wait := unseen
	if p.shown {
		wait = 0 // there is a bar already
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.timer == timer {
			p.draw()
			timer.Reset(interval)
		}
	})
	p.timer = timer
}

// Next implements executor.Progress.
func (p *progress) Next(image string, number, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.image = fmt.Sprintf("image %d of %d, %s", number, of, filepath.Base(image))
}

// Watch implements executor.Watcher. The map before it is shown until something is known
// of this one.
func (p *progress) Watch(g *executor.Growing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heat = growing{of: g, page: p.heat.page, next: p.heat.next}
}

// Expect implements executor.Progress.
func (p *progress) Expect(positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = positions
}

// Add implements executor.Progress.
func (p *progress) Add(positions int) { p.done.Add(int64(positions)) }

// Finish implements executor.Progress. What is shown stays until the result comes.
func (p *progress) Finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
}

func (p *progress) stop() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.heat.of = nil
}

// takeAway takes the bar away to make place for something else.
func (p *progress) takeAway() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	switch {
	case !p.shown:
		return
	case p.out.Outputs() == 1: // the bar
		p.out.Clear()
		p.made = false
	default:
		p.out.Update(p.name, jupyter.Bundle{})
	}
	p.shown = false
}

// draw shows how far the work has come.
func (p *progress) draw() {
	done := min(int(p.done.Load()), p.total)
	text := p.text(done)
	b := jupyter.Bundle{
		"text/plain": text,
		"text/html": fmt.Sprintf(`%s<progress value="%d" max="%d" style="width:12em"></progress> %s`,
			p.heat.html(time.Now()), done, max(p.total, 1), html.EscapeString(text)),
	}
	if p.made {
		p.out.Update(p.name, b)
	} else {
		p.out.Display(p.name, b)
	}
	p.made, p.shown = true, true
}

// text says what is drawn.
func (p *progress) text(done int) string {
	s := fmt.Sprintf("%s: %d of %d positions", p.image, done, p.total)
	if done == 0 || p.total == 0 {
		return s
	}
	elapsed := time.Since(p.began).Seconds()
	left := elapsed / float64(done) * float64(p.total-done)
	return fmt.Sprintf("%s (%d%%), %.0f a second, %s left", s, 100*done/p.total, float64(done)/elapsed, planner.FormatSeconds(left))
}
