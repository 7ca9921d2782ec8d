package notebook

import (
	"fmt"
	"html"
	"sync"
	"sync/atomic"
	"time"

	"occlude/executor"
	"occlude/internal/jupyter"
	"occlude/repl/course"
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

	mu     sync.Mutex // for all below
	course course.Course
	heat   growing
	timer  *time.Timer
	made   bool // the cell has the display
	shown  bool // and a bar is in it
}

// Start implements executor.Progress.
func (p *progress) Start(image string, positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	p.done.Store(0)
	p.course, p.heat = course.Begin(image, positions, time.Now()), growing{}
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
	p.course.Image, p.course.Number, p.course.Of = image, number, of
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
	p.course.Total = positions
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
	now := time.Now()
	p.course.Add(now, int(p.done.Load()))
	text := p.text()
	b := jupyter.Bundle{
		"text/plain": text,
		"text/html": fmt.Sprintf(`%s<progress value="%d" max="%d" style="width:12em"></progress> %s`,
			p.heat.html(now), p.course.Done, max(p.course.Total, 1), html.EscapeString(text)),
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
	c := &p.course
	s := fmt.Sprintf("%s: %s (%d%%)", c.Name(), c.Positions(), c.Share(100))
	if speed := c.Speed(); speed != "" {
		s += ", " + speed + " a second"
	}
	if left := c.Left(); left != "" {
		s += ", " + left + " left"
	}
	return s
}
