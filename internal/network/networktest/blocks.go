package networktest

import (
	"occlude/internal/network"
)

// block adds layers behind in and gives the last, nil when it does not fit.
type block func(b *builder, in *network.Layer) *network.Layer

// blocks are what networks are made of; what is common in real ones comes twice.
var blocks = []block{
	(*builder).convolve, (*builder).convolve, (*builder).convolve, (*builder).grouped,
	(*builder).depthwise, (*builder).depthwise, (*builder).pool, (*builder).pool,
	(*builder).residual, (*builder).residual, (*builder).fused, (*builder).branch,
	(*builder).branch, (*builder).excite, (*builder).attend, (*builder).shuffle,
	(*builder).split, (*builder).pad, (*builder).crop, (*builder).activate,
	(*builder).affine, (*builder).prelu, (*builder).lrn, (*builder).instanceNorm,
	(*builder).softmax, (*builder).combine, (*builder).broadcast, (*builder).broadcast,
	(*builder).reorder,
}

// convolve is a plain convolution with a random window.
func (b *builder) convolve(in *network.Layer) *network.Layer {
	return b.add(b.conv(in.Shape, b.between(1, 14), b.window(in.Shape)), in)
}

func (b *builder) grouped(in *network.Layer) *network.Layer {
	for _, g := range []int{4, 3, 2} {
		if c := in.Shape.C; c%g == 0 && c > g {
			w := b.window(in.Shape)
			op := network.Conv{Window: w.Window, After: w.after, Groups: g}
			return b.add(b.weigh(op, c, g*b.between(1, 5)), in)
		}
	}
	return nil
}

func (b *builder) depthwise(in *network.Layer) *network.Layer {
	w := b.window(in.Shape)
	op := network.Conv{Window: w.Window, After: w.after, Groups: in.Shape.C}
	return b.add(b.weigh(op, in.Shape.C, in.Shape.C*b.between(1, 2)), in)
}

func (b *builder) pool(in *network.Layer) *network.Layer {
	w := b.window(in.Shape)
	return b.add(network.Pool{
		Window: w.Window, After: w.after, Max: b.chance(0.5), Ceil: b.chance(0.5), CountPad: b.chance(0.5),
	}, in)
}

// residual adds a branch to its input.
func (b *builder) residual(in *network.Layer) *network.Layer {
	l := b.add(b.conv(in.Shape, b.between(2, 8), square(3)), in)
	if l == nil {
		return nil
	}
	l = b.add(b.conv(l.Shape, in.Shape.C, square(b.between(1, 3))), l)
	return b.add(network.Binary{Fn: network.Add, Act: b.activation()}, l, in)
}

// fused is a residual that the convolution adds.
func (b *builder) fused(in *network.Layer) *network.Layer {
	op := b.conv(in.Shape, in.Shape.C, square(3))
	if in.Shape.C > 1 && b.chance(0.3) {
		op.Groups = in.Shape.C
		op = b.weigh(op, in.Shape.C, in.Shape.C)
	}
	op.Residual = true
	return b.add(op, in, in)
}

// branch runs two or three convolutions and joins them.
func (b *builder) branch(in *network.Layer) *network.Layer {
	w := square(b.between(1, 3))
	if b.chance(0.3) {
		w.X.Stride, w.Y.Stride = 2, 2
	}
	joined := []*network.Layer{
		b.add(b.conv(in.Shape, b.between(1, 6), w), in),
		b.add(b.conv(in.Shape, b.between(1, 6), w), in),
	}
	if w.X.Stride == 1 && b.chance(0.5) {
		joined = append(joined, in)
	}
	return b.add(network.Concat{}, joined...)
}

// combine joins two branches of the same shape by arithmetic.
func (b *builder) combine(in *network.Layer) *network.Layer {
	w, n := b.window(in.Shape), b.between(2, 8)
	x := b.add(b.conv(in.Shape, n, w), in)
	y := b.add(b.conv(in.Shape, n, w), in)
	if x == nil || y == nil {
		return nil
	}
	op := network.Binary{Fn: []string{
		network.Add, network.Sub, network.Mul, network.Div, network.Max, network.Min, network.Pow,
	}[b.rng.IntN(7)]}
	if b.chance(0.3) {
		op.Act = b.activation()
	}
	switch op.Fn {
	case network.Div:
		y = b.raise(y)
	case network.Pow:
		x = b.raise(x)
	}
	return b.add(op, x, y)
}

// broadcast joins a map with a constant that is repeated along some axes.
func (b *builder) broadcast(in *network.Layer) *network.Layer {
	s := in.Shape
	for _, n := range []*int{&s.H, &s.W, &s.C} {
		if b.chance(0.5) {
			*n = 1
		}
	}
	op := network.Binary{Fn: []string{network.Add, network.Sub, network.Mul, network.Div, network.Max, network.Min}[b.rng.IntN(6)]}
	c := b.constant(s, b.positive)
	if op.Fn != network.Div && b.chance(0.5) {
		return b.add(op, c, in)
	}
	return b.add(op, in, c)
}

// excite is squeeze-and-excitation: channels weighed by what the whole map holds.
func (b *builder) excite(in *network.Layer) *network.Layer {
	c := in.Shape.C
	fn := []string{network.Mean, network.Mean, network.Sum, network.Largest}[b.rng.IntN(4)]
	l := b.add(network.GlobalPool{Fn: fn}, in)
	if fn == network.Sum {
		l = b.shrink(l, 1/float32(in.Shape.Cells()))
	}
	down := b.dense(c, max(1, c/2), 1)
	down.Act = network.Activation{Fn: network.Relu}
	l = b.add(down, l)
	l = b.add(b.dense(max(1, c/2), c, 1), l)
	l = b.add(network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, l)
	if b.chance(0.5) {
		return b.add(network.Binary{Fn: network.Mul}, l, in)
	}
	return b.add(network.Binary{Fn: network.Mul}, in, l)
}

// shrink multiplies a layer's values by a factor.
func (b *builder) shrink(in *network.Layer, by float32) *network.Layer {
	if in == nil {
		return nil
	}
	scale := make([]float32, in.Shape.C)
	for c := range scale {
		scale[c] = by
	}
	return b.add(network.Affine{Scale: scale, Shift: make([]float32, in.Shape.C)}, in)
}

// attend weighs places by what their channels hold.
func (b *builder) attend(in *network.Layer) *network.Layer {
	fn := []string{network.Mean, network.Sum, network.Largest}[b.rng.IntN(3)]
	l := b.add(network.ChannelReduce{Fn: fn}, in)
	l = b.add(network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, l)
	return b.add(network.Binary{Fn: network.Mul}, in, l)
}

// shuffle permutes the channels.
func (b *builder) shuffle(in *network.Layer) *network.Layer {
	return b.add(network.Channels{Index: b.rng.Perm(in.Shape.C)}, in)
}

// split sends half of the channels through a convolution.
func (b *builder) split(in *network.Layer) *network.Layer {
	c := in.Shape.C
	if c < 2 {
		return nil
	}
	all := make([]int, c)
	for i := range all {
		all[i] = i
	}
	left := b.add(network.Channels{Index: all[:c/2]}, in)
	right := b.add(network.Channels{Index: all[c/2:]}, in)
	if right == nil {
		return nil
	}
	right = b.add(b.conv(right.Shape, c-c/2, square(3)), right)
	joined := b.add(network.Concat{}, left, right)
	if joined == nil {
		return nil
	}
	return b.shuffle(joined)
}

func (b *builder) pad(in *network.Layer) *network.Layer {
	return b.add(network.Pad{
		Top: b.rng.IntN(4), Left: b.rng.IntN(4), Bottom: b.rng.IntN(4), Right: b.rng.IntN(4),
		Mode:  []string{network.PadConstant, network.PadEdge, network.PadReflect}[b.rng.IntN(3)],
		Value: b.normal(),
	}, in)
}

// crop cuts the map and maybe skips rows and columns.
func (b *builder) crop(in *network.Layer) *network.Layer {
	span := func(n int) network.Span {
		s := network.Span{Start: b.rng.IntN(min(3, n)), Step: 1}
		if n > 6 && b.chance(0.3) {
			s.Step = 2
		}
		s.Count = (n-s.Start-1)/s.Step + 1
		if s.Count > 3 {
			s.Count -= b.rng.IntN(3)
		}
		return s
	}
	return b.add(network.Slice{Y: span(in.Shape.H), X: span(in.Shape.W)}, in)
}

func (b *builder) affine(in *network.Layer) *network.Layer {
	op := network.Affine{Scale: Values(b.rng, in.Shape.C, 1), Shift: Values(b.rng, in.Shape.C, 0.5)}
	if b.chance(0.5) {
		op.Act = b.activation()
	}
	return b.add(op, in)
}

func (b *builder) prelu(in *network.Layer) *network.Layer {
	return b.add(network.PRelu{Slope: Values(b.rng, in.Shape.C, 0.3)}, in)
}

func (b *builder) lrn(in *network.Layer) *network.Layer {
	return b.add(network.LRN{
		Size: b.between(1, 6), Alpha: b.positive(), Beta: []float32{0.75, 0.5}[b.rng.IntN(2)], Bias: 1,
	}, in)
}

func (b *builder) instanceNorm(in *network.Layer) *network.Layer {
	if in.Shape.Cells() < 9 {
		return nil // a variance of nearly nothing would blow up rounding errors
	}
	c := in.Shape.C
	return b.add(network.InstanceNorm{
		Scale: Values(b.rng, c, 1), Shift: Values(b.rng, c, 0.5), Epsilon: 1e-2,
	}, in)
}

func (b *builder) softmax(in *network.Layer) *network.Layer {
	return b.add(network.Softmax{Log: b.chance(0.5)}, in)
}

// reorder takes a map apart into ONNX's order and puts it together otherwise.
func (b *builder) reorder(in *network.Layer) *network.Layer {
	s := in.Shape
	if b.chance(0.3) {
		return b.add(network.Reshaped{To: network.Shape{H: s.W, W: s.H, C: s.C}}, in)
	}
	l := b.add(network.Flatten{}, in)
	return b.add(network.Unflatten{To: network.Shape{H: s.W, W: s.H, C: s.C}}, l)
}

// heads make vectors of maps.
var heads = []block{
	func(b *builder, in *network.Layer) *network.Layer {
		return b.add(network.GlobalPool{Fn: network.Mean}, in)
	},
	func(b *builder, in *network.Layer) *network.Layer {
		l := b.add(network.GlobalPool{Fn: network.Mean}, in)
		hidden := b.dense(l.Shape.C, b.between(1, 9), 1)
		hidden.Act = b.activation()
		return b.add(hidden, l)
	},
	func(b *builder, in *network.Layer) *network.Layer {
		return b.add(network.GlobalPool{Fn: network.Largest}, in)
	},
	func(b *builder, in *network.Layer) *network.Layer { return b.add(network.Flatten{}, in) },
	func(b *builder, in *network.Layer) *network.Layer { return in },
	func(b *builder, in *network.Layer) *network.Layer {
		l := b.add(network.GlobalPool{Fn: network.Mean}, in)
		return b.add(network.Function{Name: "running sum", Out: l.Shape.C, Call: runningSum}, l)
	},
}

// runningSum stands for an operator that no kernel knows.
func runningSum(in [][]float32) ([]float32, error) {
	out := make([]float32, len(in[0]))
	var sum float32
	for i, v := range in[0] {
		sum += v
		out[i] = sum / float32(i+1)
	}
	return out, nil
}
