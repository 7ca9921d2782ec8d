package cpu

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// Program is a network with its kernels. It implements operators.Program.
type Program struct {
	net        *network.Network
	set        *simd.Set
	algorithms []operators.Algorithm // by layer Index
	kernels    []kernel
	// consumers are the kernels that want a layer's output in one piece, by
	// the layer's Index.
	consumers [][]consumer
	// lastRead is, by layer Index, the last layer that reads the layer; the
	// output is read by nobody and kept to the end.
	lastRead []int

	idle sync.Mutex // guards arenas
	// arenas is the memory of workers that were released, for the next ones.
	arenas []arena
}

// consumer is a layer that reads input number in through a reader.
type consumer struct {
	layer *network.Layer
	in    int
	reads func(out region.Rect) region.Rect
}

// wants is what of its input computing the rectangle out takes in one piece.
func (c consumer) wants(out region.Rect) region.Rect {
	if out.Empty() {
		return region.Rect{}
	}
	return c.reads(out)
}

// Options are how a program computes what any program computes. The zero value
// is the best that this processor has, every convolution direct.
type Options struct {
	// Kernels names a set of loops, see simd.Named; "" is the best one.
	Kernels string
	// Algorithms is how each layer is computed, by Index; nil, or "" for a
	// layer, is Direct.
	Algorithms []operators.Algorithm
	// Threads is how many goroutines pack weights; 0 is one for each core.
	Threads int
	// Like are programs of the same network whose kernels the new one takes over
	// where it would make equal ones, packed weights and all.
	Like []*Program
}

// New packs the network's weights, unless the context ends, which it looks at
// between layers. The network must be sorted, and must not change afterwards.
func New(ctx context.Context, net *network.Network, o Options) (*Program, error) {
	set, err := simd.Chosen(o.Kernels)
	if err != nil {
		return nil, err
	}
	if n := len(o.Algorithms); n != 0 && n != len(net.Layers) {
		return nil, fmt.Errorf("%d algorithms for %d layers", n, len(net.Layers))
	}
	p := &Program{
		net: net, set: set,
		algorithms: make([]operators.Algorithm, len(net.Layers)),
		kernels:    make([]kernel, len(net.Layers)),
		consumers:  make([][]consumer, len(net.Layers)),
		lastRead:   make([]int, len(net.Layers)),
	}
	for i := range p.algorithms {
		p.algorithms[i] = operators.Direct
		if o.Algorithms != nil && o.Algorithms[i] != "" {
			p.algorithms[i] = o.Algorithms[i]
		}
	}
	if err := p.pack(ctx, o); err != nil {
		return nil, err
	}
	for i, l := range net.Layers {
		p.lastRead[i] = i
		for _, in := range l.In {
			p.lastRead[in.Index] = i
		}
		p.connect(l, p.kernels[i])
	}
	p.lastRead[net.Output.Index] = len(net.Layers)
	return p, nil
}

// pack makes the kernels, several at a time, for transforming the weights of a
// large network takes seconds.
func (p *Program) pack(ctx context.Context, o Options) error {
	threads := o.Threads
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	errs := make([]error, len(p.kernels))
	one := func(i int) {
		defer defect.Recover(&errs[i])
		p.kernels[i], errs[i] = p.kernelLike(p.net.Layers[i], o.Like)
	}
	var wg sync.WaitGroup
	for range min(threads, len(p.kernels)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(p.kernels) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				one(i)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// stages cuts the layers into stages for a batch, as they suit the largest of its
// updates.
func (p *Program) stages(batch []operators.Update) []operators.Stage {
	if len(batch) == 0 {
		return nil
	}
	largest, most := 0, int64(-1)
	for b := range batch {
		if cells := operators.Cells(batch[b].Rects); cells > most {
			largest, most = b, cells
		}
	}
	return operators.Stages(p.net, batch[largest].Rects, len(batch), p.weightBytes)
}

// weightBytes is what a layer streams for every group of positions.
func (p *Program) weightBytes(layer int) int64 {
	if k, ok := p.kernels[layer].(weighty); ok {
		return int64(k.weightBytes())
	}
	return 0
}

// kernelLike makes a layer's kernel, or takes it from a program that has it.
// Kernels hold nothing but packed weights, which nobody changes.
func (p *Program) kernelLike(l *network.Layer, like []*Program) (kernel, error) {
	for _, q := range like {
		if q.net == p.net && q.set == p.set && q.algorithms[l.Index] == p.algorithms[l.Index] {
			return q.kernels[l.Index], nil
		}
	}
	return newKernel(l, p.set, p.algorithms[l.Index])
}

// connect tells the layers below l what its kernel wants of them.
func (p *Program) connect(l *network.Layer, k kernel) {
	r, ok := k.(reader)
	if !ok {
		return
	}
	for j, in := range l.In {
		c := consumer{layer: l, in: j, reads: r.reads}
		if j > 0 {
			c.reads = func(out region.Rect) region.Rect { return l.Reads(j, out) }
		}
		p.consumers[in.Index] = append(p.consumers[in.Index], c)
	}
}

// NewWorker implements operators.Program.
func (p *Program) NewWorker() operators.Worker { return p.newWorker() }

func (p *Program) newWorker() *worker {
	w := &worker{program: p, stats: make([]operators.LayerStats, len(p.net.Layers))}
	p.idle.Lock()
	defer p.idle.Unlock()
	if n := len(p.arenas); n > 0 {
		w.memory, p.arenas = p.arenas[n-1], p.arenas[:n-1]
		w.memory.peak = w.memory.held
	}
	return w
}

// Reserve implements operators.Program.
func (p *Program) Reserve(workers int, bytes int64) {
	p.idle.Lock()
	defer p.idle.Unlock()
	for range workers {
		var a arena
		a.give(a.take(int(bytes / 4)))
		p.arenas = append(p.arenas, a)
	}
}

// Trim implements operators.Program.
func (p *Program) Trim() {
	p.idle.Lock()
	defer p.idle.Unlock()
	p.arenas = nil
}

// Arrays implements operators.Program.
func (p *Program) Arrays() [][]float32 {
	var all [][]float32
	for _, k := range p.kernels {
		if k, ok := k.(packing); ok {
			all = append(all, k.packed()...)
		}
	}
	return all
}
