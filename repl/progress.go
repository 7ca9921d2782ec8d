package repl

import (
	"io"
	"path/filepath"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// Bar shows a heat map's progress with the time left. It implements
// executor.Progress.
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
