package rewrite

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators/region"
)

// The test data writes networks down a layer a line:
//
//	name = op inputs and sizes key=value flags
//	output name
//
//	x = input 8x8x3                   height, width, channels
//	c = conv x 3x3 out=4              also stride= pad= dilation= groups= bias residual=y act=
//	d = dense x 10                    also bias act=
//	a = affine x                      also scale= shift= act=
//	r = relu x                        any activation or identity; - for a space, alpha= beta=
//	s = add x y                       or subtract, multiply, divide, maximum, minimum; act=
//	k = const 1x1x4                   also value=
//	p = max-pool x 2x2                or average-pool; stride= pad= dilation= ceil count-pad
//	g = global-pool x mean
//	q = pad x 1,1,1,1                 top, left, bottom, right; value= mode=
//	t = slice x 0:1:4 0:2:3           start:step:count of rows, then of columns
//	h = channels x 0-3,8
//	f = flatten x                     and unflatten x 2x2x3, reshape x 2x2x3
//	o = concat x y
//
// and prelu x slope=, softmax, log-softmax, lrn, instance-norm, reduce x mean,
// function x 4. A size is WxH or one number, pads are one number or four. What
// is not given (weights, scales, constants) is drawn from the layer's name.
type parser struct {
	net    *network.Network
	layers map[string]*network.Layer
	rng    *rand.Rand
	args   []string
	opts   map[string]string
}

// parse reads a network. It panics on mistakes; the test data has none.
func parse(text string) *network.Network {
	p := &parser{layers: map[string]*network.Layer{}}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if name, ok := strings.CutPrefix(line, "output "); ok {
			p.net.Output = p.layer(name)
			continue
		}
		name, rest, _ := strings.Cut(line, " = ")
		p.line(name, strings.Fields(rest))
	}
	return p.net
}

func (p *parser) line(name string, fields []string) {
	h := fnv.New64a()
	h.Write([]byte(name))
	p.rng = rand.New(rand.NewPCG(h.Sum64(), 1))
	p.args, p.opts = nil, map[string]string{}
	for _, f := range fields[1:] {
		key, value, isOpt := strings.Cut(f, "=")
		switch {
		case isOpt:
			p.opts[key] = value
		case f == "bias" || f == "ceil" || f == "count-pad":
			p.opts[f] = "yes"
		default:
			p.args = append(p.args, f)
		}
	}
	if fields[0] == "input" {
		p.net = network.New(name, shapeOf(p.args[0]))
		p.layers[name] = p.net.Input()
		return
	}
	op, inputs := p.op(fields[0])
	var in []*network.Layer
	for _, a := range p.args[:inputs] {
		in = append(in, p.layer(a))
	}
	if r, ok := p.opts["residual"]; ok {
		in = append(in, p.layer(r))
	}
	l, err := p.net.Add(name, op, in...)
	if err != nil {
		panic(err)
	}
	p.layers[name] = l
}

// op makes the op of a line and tells how many of its arguments are inputs.
func (p *parser) op(kind string) (op network.Op, inputs int) {
	switch kind {
	case "conv":
		return p.conv(), 1
	case "dense":
		out := number(p.args[1])
		n := p.layer(p.args[0]).Shape.Len()
		d := network.Dense{Weights: p.weights(n, out, n), Act: p.act("act")}
		if p.has("bias") {
			d.Bias = p.floats("", out, -1, 1)
		}
		return d, 1
	case "affine":
		c := p.layer(p.args[0]).Shape.C
		return network.Affine{Scale: p.floats("scale", c, 0.5, 2), Shift: p.floats("shift", c, -1, 1), Act: p.act("act")}, 1
	case "prelu":
		return network.PRelu{Slope: p.floats("slope", p.layer(p.args[0]).Shape.C, 0, 1)}, 1
	case network.Add, network.Sub, network.Mul, network.Div, network.Max, network.Min, network.Pow:
		return network.Binary{Fn: kind, Act: p.act("act")}, 2
	case "const":
		s := shapeOf(p.args[0])
		v := p.floats("value", s.Len(), 0.5, 2)
		return network.Const{Value: tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(v))}, 0
	case "max-pool", "average-pool":
		w, after := p.window(p.args[1])
		return network.Pool{Window: w, After: after, Max: kind == "max-pool", Ceil: p.has("ceil"), CountPad: p.has("count-pad")}, 1
	case "global-pool":
		return network.GlobalPool{Fn: p.args[1]}, 1
	case "pad":
		n := pads4(p.args[1])
		mode := p.opts["mode"]
		if mode == "" {
			mode = network.PadConstant
		}
		return network.Pad{Top: n[0], Left: n[1], Bottom: n[2], Right: n[3], Mode: mode, Value: p.float("value", 0)}, 1
	case "slice":
		span := func(s string) network.Span {
			n := numbers(s, ":")
			return network.Span{Start: n[0], Step: n[1], Count: n[2]}
		}
		return network.Slice{Y: span(p.args[1]), X: span(p.args[2])}, 1
	case "channels":
		return network.Channels{Index: indexes(p.args[1])}, 1
	case "flatten":
		return network.Flatten{}, 1
	case "unflatten":
		return network.Unflatten{To: shapeOf(p.args[1])}, 1
	case "reshape":
		return network.Reshaped{To: shapeOf(p.args[1])}, 1
	case "concat":
		return network.Concat{}, len(p.args)
	case "softmax", "log-softmax":
		return network.Softmax{Log: kind == "log-softmax"}, 1
	case "lrn":
		return network.LRN{Size: 5, Alpha: 1e-2, Beta: 0.75, Bias: 1}, 1
	case "instance-norm":
		c := p.layer(p.args[0]).Shape.C
		return network.InstanceNorm{Scale: p.floats("", c, 0.5, 2), Shift: p.floats("", c, -1, 1), Epsilon: 1e-3}, 1
	case "reduce":
		return network.ChannelReduce{Fn: p.args[1]}, 1
	case "function":
		out := number(p.args[1])
		return network.Function{Name: "mystery", Out: out, Call: func(in [][]float32) ([]float32, error) {
			y := make([]float32, out)
			for i, x := range in[0] {
				y[i%out] += x * float32(i)
			}
			return y, nil
		}}, 1
	}
	if kind != "identity" {
		p.opts["act"] = kind
	}
	return network.Pointwise{Act: p.act("act")}, 1
}

func (p *parser) conv() network.Op {
	w, after := p.window(p.args[1])
	c := network.Conv{Window: w, After: after, Groups: 1, Act: p.act("act")}
	if p.has("groups") {
		c.Groups = number(p.opts["groups"])
	}
	out, in := number(p.opts["out"]), p.layer(p.args[0]).Shape.C/c.Groups
	c.Weights = p.weights(w.Taps()*in, out, w.Y.Kernel, w.X.Kernel, in)
	if p.has("bias") {
		c.Bias = p.floats("", out, -1, 1)
	}
	c.Residual = p.has("residual")
	return c
}

func (p *parser) window(size string) (network.Window, network.PadAfter) {
	pair := func(s, otherwise string) (x, y int) {
		if s == "" {
			s = otherwise
		}
		n := numbers(s, "x")
		return n[0], n[len(n)-1]
	}
	var w network.Window
	w.X.Kernel, w.Y.Kernel = pair(size, "")
	w.X.Stride, w.Y.Stride = pair(p.opts["stride"], "1")
	w.X.Dilation, w.Y.Dilation = pair(p.opts["dilation"], "1")
	n := pads4(p.opts["pad"])
	w.Y.Pad, w.X.Pad = n[0], n[1]
	return w, network.PadAfter{Y: n[2], X: n[3]}
}

func (p *parser) layer(name string) *network.Layer {
	l, ok := p.layers[name]
	if !ok {
		panic(fmt.Sprintf("no layer %q", name))
	}
	return l
}

func (p *parser) has(key string) bool { _, ok := p.opts[key]; return ok }

func (p *parser) float(key string, otherwise float32) float32 {
	s, ok := p.opts[key]
	if !ok {
		return otherwise
	}
	// Test data may say 1/6.
	a, b, isRatio := strings.Cut(s, "/")
	x, err := strconv.ParseFloat(a, 64)
	if err != nil {
		panic(err)
	}
	if isRatio {
		y, err := strconv.ParseFloat(b, 64)
		if err != nil {
			panic(err)
		}
		x /= y
	}
	return float32(x)
}

// floats are n values: the one that the option says, or random ones.
func (p *parser) floats(key string, n int, lo, hi float32) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = p.float(key, lo+(hi-lo)*p.rng.Float32())
	}
	return v
}

// weights are random ones that keep the size of values over a layer that sums
// fanIn of them.
func (p *parser) weights(fanIn int, shape ...int) *tensor.Dense {
	return randomWeights(p.rng, fanIn, shape...)
}

func (p *parser) act(key string) network.Activation {
	fn, ok := p.opts[key]
	if !ok {
		return network.Activation{}
	}
	return network.Activation{Fn: strings.ReplaceAll(fn, "-", " "), Alpha: p.float("alpha", 0), Beta: p.float("beta", 0)}
}

func shapeOf(s string) network.Shape {
	n := numbers(s, "x")
	return network.Shape{H: n[0], W: n[1], C: n[2]}
}

func pads4(s string) [4]int {
	if s == "" {
		return [4]int{}
	}
	n := numbers(s, ",")
	if len(n) == 1 {
		return [4]int{n[0], n[0], n[0], n[0]}
	}
	return [4]int{n[0], n[1], n[2], n[3]}
}

func indexes(s string) []int {
	var out []int
	for _, run := range strings.Split(s, ",") {
		n := numbers(run, "-")
		for c := n[0]; c <= n[len(n)-1]; c++ {
			out = append(out, c)
		}
	}
	return out
}

func numbers(s, sep string) []int {
	var out []int
	for _, f := range strings.Split(s, sep) {
		out = append(out, number(f))
	}
	return out
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// format prints a network a layer a line, with what the rules change.
func format(n *network.Network) string {
	var b strings.Builder
	for _, l := range n.Layers {
		names := make([]string, len(l.In))
		for i, p := range l.In {
			names[i] = p.Name
		}
		fmt.Fprintf(&b, "%s = %s(%s)", l.Name, l.Op.Kind(), strings.Join(names, ", "))
		for _, d := range []string{l.Op.Detail(), more(l.Op)} {
			if d != "" {
				b.WriteString(" " + d)
			}
		}
		fmt.Fprintf(&b, " -> %s\n", l.Shape)
	}
	fmt.Fprintf(&b, "output %s\n", n.Output.Name)
	return b.String()
}

// more is what a layer's description for people leaves out.
func more(op network.Op) string {
	pads := func(y, x region.Window, after network.PadAfter) string {
		if n := [4]int{y.Pad, x.Pad, after.Y, after.X}; n != [4]int{} {
			return fmt.Sprintf("pads %v", n)
		}
		return ""
	}
	switch op := op.(type) {
	case network.Conv:
		return pads(op.Y, op.X, op.After)
	case network.Pool:
		return pads(op.Y, op.X, op.After)
	case network.Channels:
		if !op.Contiguous() {
			return fmt.Sprint(op.Index)
		}
	case network.Pointwise:
		switch op.Act.Fn {
		case network.HardSigmoid, network.HardSwish:
			return fmt.Sprintf("%.4g %.4g", op.Act.Alpha, op.Act.Beta)
		}
	case network.Const:
		if v := op.Value.Float32s(); len(v) <= 4 {
			return fmt.Sprintf("%.3g", v)
		}
	}
	return ""
}
