package notebook

import (
	"fmt"
	"html"
	"path/filepath"
	"sync"
	"time"

	"occlude/internal/jupyter"
	"occlude/planner"
)

const (
	// unseen is how long work goes on without a bar: most is done by then.
	unseen = 400 * time.Millisecond
	// interval is the time between two updates of the bar.
	interval = 200 * time.Millisecond
)

// progress shows a cell's bar. It implements executor.Progress.
type progress struct {
	out  *jupyter.Output
	name string // of the display

	mu          sync.Mutex
	image       string
	done, total int
	began       time.Time
	timer       *time.Timer
	made        bool // the cell has the display
	shown       bool // and a bar is in it
}

// Start implements executor.Progress.
func (p *progress) Start(image string, positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.image, p.done, p.total, p.began = filepath.Base(image), 0, positions, time.Now()
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

// Expect implements executor.Progress.
func (p *progress) Expect(positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = positions
}

// Add implements executor.Progress.
func (p *progress) Add(positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += positions
}

// Finish implements executor.Progress. The bar stays until the result comes.
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
	text := p.text()
	b := jupyter.Bundle{
		"text/plain": text,
		"text/html": fmt.Sprintf(`<progress value="%d" max="%d" style="width:20em"></progress> %s`,
			p.done, max(p.total, 1), html.EscapeString(text)),
	}
	if p.made {
		p.out.Update(p.name, b)
	} else {
		p.out.Display(p.name, b)
	}
	p.made, p.shown = true, true
}

// text says what is drawn.
func (p *progress) text() string {
	done, total := min(p.done, p.total), p.total
	s := fmt.Sprintf("%s: %d of %d positions", p.image, done, total)
	if done == 0 || total == 0 {
		return s
	}
	elapsed := time.Since(p.began).Seconds()
	left := elapsed / float64(done) * float64(total-done)
	return fmt.Sprintf("%s (%d%%), %.0f a second, %s left", s, 100*done/total, float64(done)/elapsed, planner.FormatSeconds(left))
}
