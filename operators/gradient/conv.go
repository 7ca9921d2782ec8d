package gradient

import (
	"context"
	"fmt"
	"sync"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// convRule pulls gradients back through a convolution and, as they are, along
// its residual.
func convRule(l *network.Layer, op network.Conv, set *simd.Set, how operators.Algorithm, later func(prepare func())) rule {
	back := transposed(op, l.In[0].Shape, l.Shape, set, how, later)
	return func(p *pass, _ *network.Layer) (pull, error) {
		return each(func(edge int, g []float32) ([]float32, error) {
			if edge == 1 {
				return g, nil
			}
			return back(p, g)
		}), nil
	}
}

// transposed is the linear map that pulls a gradient back from the output of a
// convolution to its input, the transpose of what it does without its bias. It
// is the cheaper one of two ways.
func transposed(op network.Conv, in, out network.Shape, set *simd.Set, how operators.Algorithm, later func(prepare func())) func(p *pass, g []float32) ([]float32, error) {
	if op.Groups == 1 && scatterCost(op, in, out) < gatherCost(op, in, out) {
		s := newScatter(op, in, out, set)
		return s.pull
	}
	t := newGather(op, in, out, set, how)
	later(func() { _, _ = t.program() }) // pull reports its error
	return t.pull
}

// gather pulls gradients back by a convolution for each phase of the input: each
// input cell gathers from the outputs that read it.
type gather struct {
	in, out network.Shape
	phases  []gatherPhase
	repeat  int // filters of a depthwise convolution that read the same channel
	program func() (*cpu.Program, error)
}

// gatherPhase is the input cells of one phase along each axis, and the layer of
// the program that computes them, 0 where they are zero.
type gatherPhase struct {
	y, x  phase
	layer int
}

// panel is about how many filters the convolution's kernel computes at the cost
// of one.
const panel = 32

// gatherCost is about how many multiply-adds gathering takes.
func gatherCost(op network.Conv, in, out network.Shape) int {
	work := 0
	for _, y := range phasesOf(op.Y, in.H, out.H) {
		for _, x := range phasesOf(op.X, in.W, out.W) {
			work += y.count * x.count * len(y.taps) * len(x.taps)
		}
	}
	return work * out.C * wholePanels(in.C)
}

// wholePanels is how many filters are computed where n are asked for.
func wholePanels(n int) int { return (n + panel - 1) / panel * panel }

func newGather(op network.Conv, in, out network.Shape, set *simd.Set, how operators.Algorithm) *gather {
	t := &gather{in: in, out: out, repeat: 1}
	if op.Depthwise() {
		t.repeat = op.Filters() / op.Groups
	}
	layer := 1
	for _, y := range phasesOf(op.Y, in.H, out.H) {
		for _, x := range phasesOf(op.X, in.W, out.W) {
			f := gatherPhase{y: y, x: x}
			if len(y.taps) > 0 && len(x.taps) > 0 {
				if f.cropped(out) {
					layer++
				}
				f.layer = layer
				layer++
			}
			t.phases = append(t.phases, f)
		}
	}
	t.program = sync.OnceValues(func() (*cpu.Program, error) { return t.compile(op, set, how) })
	return t
}

// cropped tells whether a phase does not read the whole gradient.
func (f gatherPhase) cropped(out network.Shape) bool {
	return f.y.crop.Len() != out.H || f.x.crop.Len() != out.W
}

// compile makes the network of the phases' convolutions, which all read the
// gradient: its input.
func (t *gather) compile(op network.Conv, set *simd.Set, how operators.Algorithm) (*cpu.Program, error) {
	net := network.New("gradient", t.out)
	for _, f := range t.phases {
		if f.layer == 0 {
			continue
		}
		at := net.Input()
		var err error
		if f.cropped(t.out) {
			at, err = net.Add("crop", network.Slice{
				Y: network.Span{Start: f.y.crop.Lo, Step: 1, Count: f.y.crop.Len()},
				X: network.Span{Start: f.x.crop.Lo, Step: 1, Count: f.x.crop.Len()},
			}, at)
			if err != nil {
				return nil, err
			}
		}
		back := network.Conv{
			Window: network.Window{
				Y: region.Window{Kernel: len(f.y.taps), Stride: 1, Dilation: f.y.dilation, Pad: f.y.pad},
				X: region.Window{Kernel: len(f.x.taps), Stride: 1, Dilation: f.x.dilation, Pad: f.x.pad},
			},
			After:  network.PadAfter{Y: f.y.after, X: f.x.after},
			Groups: op.Groups * t.repeat,
		}
		back.Weights = exchanged(op, f.y.taps, f.x.taps, t.repeat)
		l, err := net.Add("phase", back, at)
		if err != nil {
			return nil, err
		}
		if want := (network.Shape{H: f.y.count, W: f.x.count, C: t.in.C * t.repeat}); l.Index != f.layer || l.Shape != want {
			return nil, fmt.Errorf("the gradient of a phase is layer %d of %s instead of %d of %s", l.Index, l.Shape, f.layer, want)
		}
	}
	algorithms := make([]operators.Algorithm, len(net.Layers))
	for i, l := range net.Layers {
		for _, a := range operators.Algorithms(l) {
			if a == how {
				algorithms[i] = how
			}
		}
	}
	return cpu.New(context.Background(), net, cpu.Options{Kernels: set.Name, Algorithms: algorithms})
}

// exchanged is a convolution's weights with inputs and outputs exchanged and the
// given taps, (Cin, KH, KW, Cout/Groups). Those of depthwise ones, where several
// filters may read a channel, stay filters of one channel each.
func exchanged(op network.Conv, ys, xs []int, repeat int) *tensor.Dense {
	from := op.Weights.Data().([]float32)
	in, out := op.GroupIn(), op.Filters()/op.Groups
	if op.Depthwise() {
		in, out = 1, 1
	}
	groups := op.Groups * repeat
	to := make([]float32, groups*in*len(ys)*len(xs)*out)
	for g := range groups {
		for i, y := range ys {
			for j, x := range xs {
				transpose(
					to[(g*in*len(ys)*len(xs)+i*len(xs)+j)*out:], len(ys)*len(xs)*out,
					from[(g*out*op.Taps()+y*op.X.Kernel+x)*in:], op.Taps()*in, in, out,
				)
			}
		}
	}
	return tensor.New(tensor.WithShape(groups*in, len(ys), len(xs), out), tensor.WithBacking(to))
}

// transpose writes the transpose of a matrix of n rows of m values; rows begin as
// many values apart as told. It goes by squares that stay in the cache.
func transpose(to []float32, toRow int, from []float32, fromRow, m, n int) {
	const side = 32
	for c0 := 0; c0 < m; c0 += side {
		for f0 := 0; f0 < n; f0 += side {
			for c := c0; c < min(c0+side, m); c++ {
				row := to[c*toRow+f0 : c*toRow+min(f0+side, n)]
				for f := range row {
					row[f] = from[(f0+f)*fromRow+c]
				}
			}
		}
	}
}

func (t *gather) pull(p *pass, g []float32) ([]float32, error) {
	c, err := t.program()
	if err != nil {
		return nil, err
	}
	v, err := p.team.Run(p.ctx, c, g)
	if err != nil {
		return nil, err
	}
	if f := t.phases[0]; len(t.phases) == 1 && f.layer > 0 && f.y.stride == 1 && f.x.stride == 1 && t.repeat == 1 {
		return v[f.layer], nil
	}
	dx := p.zeros(t.in.Len())
	for _, f := range t.phases {
		if f.layer > 0 {
			if err := t.spread(p, f, v[f.layer], dx); err != nil {
				return nil, err
			}
		}
	}
	for _, made := range v[1:] {
		p.team.Give(made)
	}
	return dx, nil
}

// spread writes a phase's gradient to its cells, summed over the filters that
// read the same channel.
func (t *gather) spread(p *pass, f gatherPhase, from, dx []float32) error {
	n := t.in.C * t.repeat
	return p.split(f.y.count, f.x.count*n, func(lo, hi int) {
		for u := lo; u < hi; u++ {
			for v := range f.x.count {
				cell := from[(u*f.x.count+v)*n:][:n]
				y, x := f.y.first+u*f.y.stride, f.x.first+v*f.x.stride
				to := dx[(y*t.in.W+x)*t.in.C:][:t.in.C]
				if t.repeat == 1 {
					copy(to, cell)
					continue
				}
				for i, d := range cell {
					to[i/t.repeat] += d
				}
			}
		}
	})
}
