package repl

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// Bar shows the progress of a heat map, or of those of several images, with the time
// left. It implements executor.Progress.
type Bar struct {
	Out io.Writer // a terminal

	mu  sync.Mutex
	bar *progressbar.ProgressBar
}

// Start implements executor.Progress.
func (b *Bar) Start(image string, positions int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar = progressbar.NewOptions(positions,
		progressbar.OptionSetWriter(b.Out),
		progressbar.OptionSetDescription(filepath.Base(image)),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("positions"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100_000_000), // 0.1 s
		progressbar.OptionClearOnFinish(),
	)
	_ = b.bar.RenderBlank() // at once: the first batch may take a while
}

// Next implements executor.Progress.
func (b *Bar) Next(image string, number, of int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		b.bar.Describe(fmt.Sprintf("image %d of %d, %s", number, of, filepath.Base(image)))
	}
}

// Above writes something where the bar is, which then goes on below it.
func (b *Bar) Above(write func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar == nil {
		write()
		return
	}
	_ = b.bar.Clear()
	write()
	_ = b.bar.RenderBlank()
}

// Expect implements executor.Progress.
func (b *Bar) Expect(positions int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		b.bar.ChangeMax(positions)
	}
}

// Add implements executor.Progress.
func (b *Bar) Add(positions int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Add(positions) // a bar that cannot be drawn is no reason to stop
	}
}

// Finish implements executor.Progress. It takes the bar away.
func (b *Bar) Finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
