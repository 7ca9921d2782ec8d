package gpu

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/driver"
)

// Program is a network on a device: its weights in the order that the kernels want. It
// implements operators.Program.
type Program struct {
	*Shape
	device *Device
	ready  map[string]driver.Kernel // by name
	consts []*buffer                // constant maps, by layer Index

	idle   sync.Mutex // guards arenas
	arenas []*buffer  // of workers that were released
}

// Options are how a program computes what any program computes.
type Options struct {
	// Algorithms says, by layer Index, how convolutions and fully-connected layers are
	// computed: by one of Algorithms. Nil and "" are operators.Direct.
	Algorithms []operators.Algorithm
	// Tile names the conv_f16x3 kernel that computes all layers of operators.Tensor, to
	// measure it; none chooses by the filters of a layer. Piece, to measure it, too, is how many
	// values of a tap are summed up before those of the next one, a multiple of 16; 0 is
	// windowPiece.
	Tile  string
	Piece int
}

// launchWork is about the most that one launch does, in multiply-adds, so that nobody
// waits long for what is queued: a device that does 10^13 a second takes 7 ms. A byte of the
// device's memory that is read or written counts as byteWork of them, so that one that moves
// 10^12 a second takes 9 ms; a multiply-add of conv_direct, which reads its operands anew for
// each, as directWork.
const (
	launchWork = 1 << 36
	byteWork   = 8
	directWork = 8
)

// Unsupported tells that a network has a layer that a GPU does not compute.
type Unsupported struct {
	Layer  *network.Layer
	Reason string
}

func (e *Unsupported) Error() string { return fmt.Sprintf("%s: %s", e.Layer, e.Reason) }

// Check tells whether a network can run on a GPU at all; if not, the error is
// *Unsupported. It needs no device.
func Check(net *network.Network) error {
	_, err := NewShape(net, Options{})
	return err
}

// New brings a network to a device, unless the context ends, which it looks at between
// layers. The network must be sorted, and must not change afterwards.
func New(ctx context.Context, net *network.Network, d *Device, o Options) (p *Program, err error) {
	defer defect.Recover(&err)
	shape, err := NewShape(net, o)
	if err != nil {
		return nil, err
	}
	p = &Program{Shape: shape, device: d, consts: make([]*buffer, len(net.Layers))}
	release, err := d.bind()
	if err != nil {
		return nil, err
	}
	defer release()
	if p.ready, err = d.load(); err != nil {
		return nil, err
	}
	if err := p.upload(ctx); err != nil {
		return nil, d.heard(err)
	}
	return p, nil
}

// upload brings weights and constants to the device.
func (p *Program) upload(ctx context.Context) (err error) {
	s, err := p.device.driver.NewStream()
	if err != nil {
		return err
	}
	defer func() {
		if closed := s.Close(); err == nil {
			err = closed
		}
	}()
	put := func(data []byte) (*buffer, error) {
		b, err := p.device.heap.take(int64(len(data)))
		if err != nil {
			return nil, err
		}
		return b, s.Upload(b.at, data)
	}
	for i, l := range p.net.Layers {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if c, ok := l.Op.(network.Const); ok {
			if p.consts[i], err = put(bytesOf(c.Value.Data().([]float32))); err != nil {
				return fmt.Errorf("%s: %w", l, err)
			}
		}
		if k, ok := p.kernels[i].(weighty); ok {
			if err := k.upload(put); err != nil {
				return fmt.Errorf("weights of %s: %w", l, err)
			}
		}
	}
	return s.Wait()
}

// NewWorker implements operators.Program.
func (p *Program) NewWorker() operators.Worker { return p.newWorker() }

func (p *Program) newWorker() *worker {
	w := &worker{program: p, stats: make([]operators.LayerStats, len(p.net.Layers))}
	p.idle.Lock()
	defer p.idle.Unlock()
	if n := len(p.arenas); n > 0 {
		w.arena, p.arenas = p.arenas[n-1], p.arenas[:n-1]
		w.peak = w.arena.size()
	}
	return w
}

// Arrays implements operators.Program. The host holds none.
func (p *Program) Arrays() [][]float32 { return nil }

// Reserve implements operators.Program. What cannot be had a worker will ask for again,
// and say so.
func (p *Program) Reserve(workers int, bytes int64) {
	release, err := p.device.bind()
	if err != nil {
		return
	}
	defer release()
	p.idle.Lock()
	defer p.idle.Unlock()
	for range workers {
		if b, err := p.device.heap.take(bytes); err == nil {
			p.arenas = append(p.arenas, b)
		}
	}
}

// Trim implements operators.Program.
func (p *Program) Trim() {
	p.idle.Lock()
	for _, b := range p.arenas {
		b.free()
	}
	p.arenas = nil
	p.idle.Unlock()
	_ = p.device.sweep() // what could not be given back is the device's loss
}

// keep takes over the memory of a worker that was released.
func (p *Program) keep(b *buffer) {
	if b == nil {
		return
	}
	p.idle.Lock()
	defer p.idle.Unlock()
	p.arenas = slices.Insert(p.arenas, 0, b)
}
