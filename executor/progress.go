package executor

import (
	"sync"

	"occlude/planner"
)

// Progress hears of the positions of a query's heat maps. Its methods are called by
// several goroutines.
type Progress interface {
	// Start begins a heat map, or those of several images, of as many positions as
	// are expected in all.
	Start(image string, positions int)
	// Next begins one of several images; number counts from 1.
	Next(image string, number, of int)
	Expect(positions int) // in all, when that turns out otherwise
	Add(positions int)
	Finish()
}

// onePart makes the progress of everything until done is called one part, of so many
// positions, which may be told to it directly, too.
func (s *Session) onePart(name string, positions int) (part Progress, done func()) {
	whole := s.Progress
	if whole == nil {
		return within{}, func() {}
	}
	whole.Start(name, positions)
	s.Progress = within{whole}
	return s.Progress, func() {
		s.Progress = whole
		whole.Finish()
	}
}

// within is the progress of something that is a part of a whole, nil where nobody
// listens.
type within struct{ whole Progress }

func (within) Start(string, int) {}
func (within) Expect(int)        {}
func (within) Finish()           {}

func (w within) Next(image string, number, of int) {
	if w.whole != nil {
		w.whole.Next(image, number, of)
	}
}

func (w within) Add(positions int) {
	if w.whole != nil {
		w.whole.Add(positions)
	}
}

// overImages makes the progress of a query over several images that of a whole, until
// done is called. Before each image next is told its index.
func (s *Session) overImages(p *planner.Occlude) (next func(int), done func()) {
	whole, n, each := s.Progress, len(p.Images), p.Chosen().Positions()
	if whole == nil || n == 1 {
		return func(int) {}, func() {}
	}
	m := &several{whole: whole, total: n * each}
	whole.Start(p.Images[0], m.total)
	s.Progress = m
	next = func(i int) {
		m.Finish()
		m.expected, m.done = each, 0
		whole.Next(p.Images[i], i+1, n)
	}
	return next, func() {
		s.Progress = whole
		whole.Finish()
	}
}

// several is the progress of one image among others: if it takes more or fewer
// positions than was expected, so do all together.
type several struct {
	whole Progress

	mu             sync.Mutex
	total          int // positions that are expected of all
	expected, done int // of the present image
}

func (m *several) Start(_ string, positions int) { m.Expect(positions) }
func (m *several) Next(string, int, int)         {}

// Watch implements Watcher, as far as the whole is one.
func (m *several) Watch(g *Growing) {
	if w, ok := m.whole.(Watcher); ok {
		w.Watch(g)
	}
}

// Expect implements Progress for the present image.
func (m *several) Expect(positions int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expect(positions)
}

func (m *several) expect(positions int) {
	if positions != m.expected {
		m.total += positions - m.expected
		m.expected = positions
		m.whole.Expect(m.total)
	}
}

// Add implements Progress.
func (m *several) Add(positions int) {
	m.mu.Lock()
	m.done += positions
	m.mu.Unlock()
	m.whole.Add(positions)
}

// Finish ends the present image: no more of it is expected.
func (m *several) Finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expect(m.done)
}
