package live

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"occlude/executor"
	"occlude/repl/course"
	"occlude/repl/picture"
)

const (
	patience = 400 * time.Millisecond // before anything is shown
	interval = 100 * time.Millisecond // between two frames at least
	share    = 20                     // of the time, one part of which may go into pictures
	settled  = 300 * time.Millisecond // since the window was resized, for it may go on

	nearby  = 1 << 20 // bytes a second to a terminal on this machine
	faraway = 1 << 17 // and over ssh
)

// Display shows the progress of queries. It implements executor.Watcher.
type Display struct {
	out      io.Writer
	terminal *picture.Terminal
	rate     int // bytes a second
	now      func() time.Time
	// resumptions, if set, are told of.
	resumptions func() (c <-chan os.Signal, stop func())

	done atomic.Int64 // positions

	mu     sync.Mutex // for all below
	stop   chan struct{}
	ended  chan struct{}
	course course.Course
	size   picture.Size // of the window
	since  time.Time    // it has that size
	heat   growing
	screen screen
}

// growing is the heat map that is shown.
type growing struct {
	of     looker
	draw   *picture.Growth
	block  *picture.Block // as it was drawn last
	done   int64          // positions that were done by then; -1 while block is of the image before
	begun  time.Time      // the image, of several
	size   picture.Size   // of the window then
	next   time.Time      // not before
	failed bool           // it cannot be drawn; the line goes on
}

// looker is an executor.Growing.
type looker interface{ Look() *executor.HeatMap }

// Show lets people see on a terminal what a session does while it does it: how far
// queries have come and the maps they compute, from coarse to fine, with its warnings
// above them. It is nil, and changes nothing, if there is no terminal. What is printed
// meanwhile goes through Above.
func Show(s *executor.Session, f *os.File, env func(string) string) *Display {
	t := picture.Open(f, env)
	if t == nil {
		return nil
	}
	rate := nearby
	if env("SSH_CONNECTION") != "" || env("SSH_TTY") != "" {
		rate = faraway
	}
	d := &Display{out: f, terminal: t, rate: rate, now: time.Now, resumptions: resumptions, screen: screen{plain: t.Dumb}}
	s.Progress = d
	if warn := s.Warn; warn != nil {
		s.Warn = func(err error) { d.Above(func() { warn(err) }) }
	}
	if t.Shows() {
		if err := s.Settings.Start("progressive", "on"); err != nil {
			panic("live: " + err.Error()) // a setting that is in the table
		}
	}
	return d
}

// Start implements executor.Progress.
func (d *Display) Start(image string, positions int) {
	d.Finish()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done.Store(0)
	d.course = course.Begin(image, positions, d.now())
	d.heat = growing{draw: d.terminal.Growth()}
	d.stop, d.ended = make(chan struct{}), make(chan struct{})
	go d.run(d.stop, d.ended)
}

// run draws until it is stopped.
func (d *Display) run(stop <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	t := time.NewTicker(interval)
	defer t.Stop()
	var resumed <-chan os.Signal
	if d.resumptions != nil {
		var ignore func()
		resumed, ignore = d.resumptions()
		defer ignore()
	}
	for {
		select {
		case <-stop:
			return
		case <-resumed:
			d.resume()
		case <-t.C:
			d.frame()
		}
	}
}

// resume begins anew where the cursor is now.
func (d *Display) resume() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.screen.forget()
}

// Next implements executor.Progress.
func (d *Display) Next(image string, number, of int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.course.Image, d.course.Number, d.course.Of = image, number, of
	d.heat.of, d.heat.done, d.heat.begun = nil, -1, d.now()
}

// Watch implements executor.Watcher.
func (d *Display) Watch(g *executor.Growing) { d.watch(g) }

func (d *Display) watch(g looker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heat.of, d.heat.done, d.heat.failed = g, -1, false
}

// Expect implements executor.Progress.
func (d *Display) Expect(positions int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.course.Total = positions
}

// Add implements executor.Progress.
func (d *Display) Add(positions int) { d.done.Add(int64(positions)) }

// Finish implements executor.Progress. It takes away what is shown.
func (d *Display) Finish() {
	d.mu.Lock()
	stop, ended := d.stop, d.ended
	if stop != nil {
		d.erase()
		d.stop, d.heat = nil, growing{}
	}
	d.mu.Unlock()
	if stop != nil {
		close(stop)
		<-ended
	}
}

// Above writes something where the display is, which then goes on below it.
func (d *Display) Above(write func()) {
	if d == nil {
		write()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	shown := d.stop != nil && d.screen.shown()
	if shown {
		d.erase()
	}
	write()
	if shown {
		d.show()
	}
}

// frame brings the screen up to date.
func (d *Display) frame() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop == nil {
		return
	}
	now := d.now()
	d.course.Add(now, int(d.done.Load()))
	if now.Sub(d.course.Started) < patience {
		return
	}
	if size := d.terminal.Size(); size != d.size {
		d.size, d.since = size, now
	}
	if m := &d.heat; m.block != nil && m.done < 0 && now.Sub(m.begun) >= patience {
		d.erase() // it would be taken for this image's
		m.block = nil
	}
	d.picture(now)
	d.show()
}

// picture draws the map anew, if it has grown and it is time to.
func (d *Display) picture(now time.Time) {
	m, done := &d.heat, d.done.Load()
	switch {
	case m.of == nil || m.failed || now.Before(m.next),
		done == m.done && d.size == m.size,
		m.block != nil && d.size != m.size && now.Sub(d.since) < settled:
		return
	}
	seen := m.of.Look()
	if seen == nil {
		return
	}
	block, err := m.draw.Draw(seen, d.size.Lines-2) // the line above, and one to spare
	if err != nil {
		m.failed, block = true, nil
	}
	m.block, m.done, m.size = block, done, d.size
	d.show()
	cost := d.now().Sub(now)
	m.next = now.Add(max(interval, share*cost, time.Duration(d.screen.sent)*time.Second/time.Duration(d.rate)))
}

// show writes what has changed. That nobody can see it is no reason to stop.
func (d *Display) show() {
	lines, images := []string{line(&d.course, d.size.Columns-1, d.screen.plain)}, []picture.Image(nil)
	if b := d.heat.block; b != nil && d.size == d.heat.size {
		lines = append(lines, b.Lines...)
		images = b.Images
	}
	d.write(d.screen.draw(lines, images, d.size))
}

// erase leaves the screen as it was.
func (d *Display) erase() {
	d.write(d.screen.erase() + d.heat.draw.Forget())
}

func (d *Display) write(text string) {
	if text != "" {
		_, _ = io.WriteString(d.out, text)
	}
}
