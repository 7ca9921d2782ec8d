package gradient

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gorgonia.org/tensor"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
)

// Options are how convolutions are computed. The zero value is the best that
// this processor has, every convolution direct.
type Options struct {
	// Kernels names a set of loops, see simd.Named; "" is the best one.
	Kernels string
	// Algorithms is how the forward pass computes each layer, by Index. The
	// convolution that pulls a gradient back is computed likewise where it can
	// be.
	Algorithms []operators.Algorithm
}

// Program is a network made ready for backward passes. What a layer needs for
// them, such as weights in another order, is made when it is first used and kept.
// Several goroutines may use a Program.
type Program struct {
	net     *network.Network
	set     *simd.Set
	rules   []rule // by layer, nil for those that do not depend on the image
	slopes  []slope
	sums    []sums
	depends []bool
	ending  ending
	later   []func() // what is made ready before the first pass, all at once
	prepare sync.Once

	counting sync.Mutex
	arrays   [][]float32 // that the last pass found made ready
	peak     int64       // most bytes that a pass took
}

// rule makes a layer's pull once its clean values are known.
type rule func(p *pass, l *network.Layer) (pull, error)

// pull takes the gradients of several objectives at a layer's output before its
// activation to their shares along one edge: the gradients with respect to that
// input as this layer reads it. A share may be the given slice itself, and
// changes nothing in it.
type pull func(edge int, g [][]float32) ([][]float32, error)

// UnknownError tells that a layer has no derivative that this package knows.
type UnknownError struct {
	Layer *network.Layer
	What  string // of the layer: its operator, its activation
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s: no derivative of %s is known", e.Layer, e.What)
}

// New checks that every layer between the image and the output has a
// derivative; an *UnknownError names the first that has none. The network must
// be sorted, and must not change afterwards.
func New(net *network.Network, o Options) (*Program, error) {
	n := len(net.Layers)
	if a := len(o.Algorithms); a != 0 && a != n {
		return nil, fmt.Errorf("%d algorithms for %d layers", a, n)
	}
	set, err := simd.Chosen(o.Kernels)
	if err != nil {
		return nil, err
	}
	p := &Program{
		net: net, set: set, rules: make([]rule, n), slopes: make([]slope, n), sums: make([]sums, n), depends: make([]bool, n),
		ending: endingOf(net),
	}
	p.depends[0] = true
	for i, l := range net.Layers[1:] {
		i++
		for _, in := range l.In {
			p.depends[i] = p.depends[i] || p.depends[in.Index]
		}
		if !p.depends[i] {
			continue
		}
		var how operators.Algorithm
		if o.Algorithms != nil {
			how = o.Algorithms[i]
		}
		if p.rules[i], err = ruleOf(l, set, how, func(prepare func()) { p.later = append(p.later, prepare) }); err != nil {
			return nil, err
		}
		if act := activationOf(l.Op); !act.IsNone() {
			s, ok := slopeOf(act, set)
			if !ok {
				return nil, &UnknownError{l, fmt.Sprintf("the activation %q", act.Fn)}
			}
			p.slopes[i] = s
			p.sums[i] = newSums(l, set, how)
		}
	}
	return p, nil
}

// activationOf is the activation that a layer applies to its result.
func activationOf(op network.Op) network.Activation {
	if f, ok := op.(network.Fused); ok {
		return f.Activation()
	}
	return network.Activation{}
}

// Wanted tells which gradients to keep. A nil function stands for none. What
// nothing wanted depends on is not computed.
type Wanted struct {
	Out  func(layer int) bool        // at a layer's output
	Pre  func(layer int) bool        // before its activation
	Edge func(layer, input int) bool // the share of one edge
}

func (w Wanted) out(i int) bool     { return w.Out != nil && w.Out(i) }
func (w Wanted) pre(i int) bool     { return w.Pre != nil && w.Pre(i) }
func (w Wanted) edge(i, j int) bool { return w.Edge != nil && w.Edge(i, j) }

// Gradients are those of one objective on the clean image, each of the shape of
// the tensor that it belongs to, (H, W, C) float32. Gradients that are equal may
// share memory; nobody changes them. Those that were not wanted are nil, and so
// are those of layers that do not depend on the image, and of layers behind the
// one at which the objective is taken (a final softmax).
type Gradients struct {
	Objective Objective
	// Value is the objective on the clean image.
	Value float64
	// Out is the gradient with respect to each layer's output, by Index.
	Out []*tensor.Dense
	// Pre is the gradient with respect to a layer's values before its
	// activation, by Index; for layers without one it is Out.
	Pre []*tensor.Dense
	// Edges is each edge's share of the gradient with respect to the layer that
	// it comes from, by the Index of the layer that it goes to and by input. The
	// shares of all edges that leave a layer add up to its Out.
	Edges [][]*tensor.Dense
}

// pass is one run of a program.
type pass struct {
	ctx     context.Context
	views   *operators.Views
	threads int
	team    *cpu.Team
}

func newPass(ctx context.Context, views *operators.Views, threads int) *pass {
	return &pass{ctx, views, max(threads, 1), cpu.NewTeam(threads)}
}

// take gives n values of any contents; Team.Give takes them back.
func (p *pass) take(n int) []float32 { return p.team.Take(n) }

// zeros gives n zeros.
func (p *pass) zeros(n int) []float32 {
	v := p.team.Take(n)
	clear(v)
	return v
}

// values are the clean values of a layer.
func (p *pass) values(l *network.Layer) []float32 {
	return p.views.Layers[l.Index].Data().([]float32)
}

// Run computes the gradients of the objectives on the image whose views are
// given: every layer's output must be there. The objectives go back together, so
// that what does not depend on them is done once. The result does not depend on
// the number of threads, nor on the other objectives.
func (p *Program) Run(ctx context.Context, views *operators.Views, objectives []Objective, w Wanted, threads int) (g []*Gradients, err error) {
	defer defect.Recover(&err)
	if err := p.check(views); err != nil {
		return nil, err
	}
	b := &backward{
		pass:    newPass(ctx, views, threads),
		program: p,
		wanted:  w,
		totals:  make([]totals, len(p.net.Layers)),
	}
	defer p.count(b.pass)
	b.need = p.needed(w)
	for _, o := range objectives {
		s, err := p.seed(b.pass, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o, err)
		}
		b.add(s)
	}
	if len(objectives) == 0 {
		return nil, nil
	}
	p.prepare.Do(func() { err = parallel(ctx, threads, p.later) })
	if err != nil {
		return nil, err
	}
	for i := len(p.net.Layers) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := b.layer(p.net.Layers[i]); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("gradient of %s: %w", p.net.Layers[i], err)
		}
	}
	return b.results, nil
}

// count notes what a pass took.
func (p *Program) count(of *pass) {
	p.counting.Lock()
	defer p.counting.Unlock()
	p.arrays, p.peak = of.team.Arrays(), max(p.peak, of.team.Bytes())
}

// Arrays are what was made ready for backward passes: weights in other orders. Before
// the first pass there are none.
func (p *Program) Arrays() [][]float32 {
	p.counting.Lock()
	defer p.counting.Unlock()
	return p.arrays
}

// Peak is the most bytes that a pass took, gradients included.
func (p *Program) Peak() int64 {
	p.counting.Lock()
	defer p.counting.Unlock()
	return p.peak
}

// check tells whether all views are there.
func (p *Program) check(v *operators.Views) error {
	if v == nil || len(v.Layers) != len(p.net.Layers) {
		return errors.New("a backward pass needs the views of all layers of its network")
	}
	for i, l := range p.net.Layers {
		if v.Layers[i] == nil {
			return fmt.Errorf("a backward pass needs every view, that of %s is not there", l)
		}
		if got := v.Layers[i].Shape().TotalSize(); got != l.Shape.Len() {
			return fmt.Errorf("a view of %d values for %s of %s", got, l, l.Shape)
		}
	}
	return nil
}

// needed tells for which layers the gradient at the output must be known: those
// from which something wanted can be reached against the edges.
func (p *Program) needed(w Wanted) []bool {
	need := make([]bool, len(p.net.Layers))
	for i, l := range p.net.Layers {
		if !p.depends[i] {
			continue
		}
		need[i] = w.out(i) || w.pre(i)
		for j, in := range l.In {
			need[i] = need[i] || need[in.Index] || p.depends[in.Index] && w.edge(i, j)
		}
	}
	return need
}
