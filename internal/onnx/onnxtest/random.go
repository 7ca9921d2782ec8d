package onnxtest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"occlude/internal/onnx"
)

// RandomOptions bound a random model. The zero value is a good choice.
type RandomOptions struct {
	Least, Side int  // bounds of the image's height and width; 0 is 5, and 6 above Least
	Blocks      int  // steps before the head; 0 is a random number of 3 to 12
	Channels    int  // of the image; 0 is 1 or 3
	Classes     int  // length of the output; 0 is any
	First       bool // the channels are the image's first axis; else it is so in two thirds
	// Shifts leaves out whatever does not follow the image when that is shifted by a
	// multiple of Jump, as far from the borders as Reach.
	Shifts bool
	// Ends lets the model end in a softmax or a sigmoid.
	Ends bool
}

// Random is a random classifier: a chain of all that published ones are made of, which
// leaves branches on its way and joins them again, and a head.
type Random struct {
	*Graph
	Story   string // what it is made of, for people
	H, W, C int    // of the image
	Last    bool   // the channels are its last axis
	Classes int
	End     string // Softmax, Sigmoid or nothing
	// Reach is how many pixels of the image a cell of the last map depends on, and Jump
	// how many lie between two cells: height and width.
	Reach, Jump [2]int

	at      place
	earlier []place
}

// place is a value of the chain: a map.
type place struct {
	x           string
	c, h, w     int
	last        bool // channels are the last axis
	reach, jump [2]int
}

// NewRandom draws a model from rng.
func NewRandom(rng *rand.Rand, o RandomOptions) *Random {
	if o.Least == 0 {
		o.Least = 5
	}
	if o.Side == 0 {
		o.Side = o.Least + 5
	}
	if o.Blocks == 0 {
		o.Blocks = 3 + rng.IntN(10)
	}
	k := &Random{C: o.Channels, H: o.Least + rng.IntN(o.Side-o.Least+1), W: o.Least + rng.IntN(o.Side-o.Least+1)}
	if k.C == 0 {
		k.C = 1 + 2*rng.IntN(2)
	}
	k.Last = rng.IntN(3) == 0 && !o.First
	k.at = place{c: k.C, h: k.H, w: k.W, last: k.Last, reach: [2]int{1, 1}, jump: [2]int{1, 1}}
	k.Graph, k.at.x = NewGraph(Opsets[rng.IntN(len(Opsets))], k.dims(k.C, k.H, k.W)...)
	k.Rand = rng
	k.Story = fmt.Sprintf("opset %d, %dx%dx%d, channels last %v", k.Opset, k.H, k.W, k.C, k.Last)
	for range o.Blocks {
		s := steps[rng.IntN(len(steps))]
		if o.Shifts && s.fixed {
			continue
		}
		before := k.at.x
		s.do(k)
		if k.at.x != before || s.name == "remember" {
			k.Story += ", " + s.name
		}
		if k.at.c*k.at.h*k.at.w > 16*max(k.H*k.W, 256) { // keep it quick
			break
		}
	}
	k.head(o)
	return k
}

// head ends the model in a vector of the classes.
func (k *Random) head(o RandomOptions) {
	kind, classes := k.Rand.IntN(3), o.Classes
	if classes == 0 {
		classes = 4
	}
	if o.Shifts && kind == 2 {
		kind = 0
	}
	k.Reach, k.Jump = k.at.reach, k.at.jump
	switch {
	case kind == 1 && o.Classes == 0:
		k.first()
		k.at.x, k.Classes = k.Squeeze(k.Op("GlobalMaxPool", nil, k.at.x), 2, 3), k.at.c
	case kind == 2:
		n := k.at.c * k.at.h * k.at.w
		k.at.x, k.Classes = k.Op("Add", nil, k.Op("MatMul", nil, k.Reshape(k.at.x, -1, n), k.Weights(n, n, classes)), k.Normal(classes)), classes
	default:
		op := []string{"ReduceMean", "ReduceMax"}[kind]
		v := k.Reduce(op, k.at.x, 0, k.axis(1), k.axis(2))
		k.at.x, k.Classes = k.Op("Gemm", nil, v, k.Weights(k.at.c, k.at.c, classes), k.Normal(classes)), classes
	}
	if o.Ends {
		switch k.Rand.IntN(3) {
		case 0:
			k.End, k.at.x = "Softmax", k.Op("Softmax", Attrs{"axis": 1}, k.at.x)
		case 1:
			k.End, k.at.x = "Sigmoid", k.Op("Sigmoid", nil, k.at.x)
		}
	}
	k.Output(k.at.x, onnx.Float32)
}

func (k *Random) dims(c, h, w int) []int {
	if k.at.last {
		return []int{1, h, w, c}
	}
	return []int{1, c, h, w}
}

// axis of the channels, rows or columns (0, 1, 2).
func (k *Random) axis(i int) int {
	if k.at.last {
		return []int{3, 1, 2}[i]
	}
	return i + 1
}

func (k *Random) set(x string, c, h, w int) { k.at.x, k.at.c, k.at.h, k.at.w = x, c, h, w }

// perChannel is a random constant that is repeated over the places.
func (k *Random) perChannel() string {
	if k.at.last {
		return k.Positive(k.at.c)
	}
	return k.Positive(k.at.c, 1, 1)
}

// first brings the channels to the front, as convolutions want them.
func (k *Random) first() {
	if k.at.last {
		k.at.x, k.at.last = k.Transpose(k.at.x, 0, 3, 1, 2), false
	}
}

// window is a random window over the map, of height and width, and the size of the map
// that it leaves; ok tells whether it fits.
type window struct {
	kernel, stride, dilation []int
	pads                     []int // top, left, bottom, right
	h, w                     int
	ok                       bool
}

func (k *Random) window(dilates bool) (v window) {
	r := k.Rand
	side := func() int {
		if r.IntN(8) == 0 {
			return 4 + r.IntN(4)
		}
		return 1 + r.IntN(3)
	}
	if dilates && r.IntN(3) == 0 { // the convolution that is met most often
		return window{[]int{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1, 1, 1}, k.at.h, k.at.w, true}
	}
	pair := func(draw func() int) []int {
		a := draw()
		if r.IntN(3) > 0 {
			return []int{a, a}
		}
		return []int{a, draw()}
	}
	v.kernel, v.stride, v.dilation = pair(side), pair(func() int { return 1 + r.IntN(2)*r.IntN(3) }), []int{1, 1}
	if dilates && r.IntN(4) == 0 {
		v.dilation = pair(func() int { return 1 + r.IntN(2) })
	}
	pad := func(i int) int { return r.IntN(min(3, v.kernel[i%2])) } // less than the kernel, as pools want it
	v.pads = []int{pad(0), pad(1), pad(0), pad(1)}
	if r.IntN(2) == 0 { // the map keeps its size, but for strides
		for i := range 2 {
			v.pads[i], v.pads[2+i] = v.kernel[i]/2, (v.kernel[i]-1)/2
		}
	}
	size := func(i, n int) int {
		return (n+v.pads[i]+v.pads[2+i]-(v.kernel[i]-1)*v.dilation[i]-1)/v.stride[i] + 1
	}
	v.h, v.w = size(0, k.at.h), size(1, k.at.w)
	v.ok = k.at.h+v.pads[0]+v.pads[2] > (v.kernel[0]-1)*v.dilation[0] && k.at.w+v.pads[1]+v.pads[3] > (v.kernel[1]-1)*v.dilation[1]
	return v
}

// grow notes what a window does to reach and jump.
func (k *Random) grow(kernel, stride, dilation []int) {
	for i := range 2 {
		k.at.reach[i] += (kernel[i] - 1) * dilation[i] * k.at.jump[i]
		k.at.jump[i] *= stride[i]
	}
}

// join puts an earlier map of the same size beside the last one, or onto it.
func (k *Random) join() {
	for _, s := range k.earlier {
		if s.last != k.at.last || s.h != k.at.h || s.w != k.at.w || s.jump != k.at.jump {
			continue
		}
		for i := range 2 {
			k.at.reach[i] = max(k.at.reach[i], s.reach[i])
		}
		if s.c == k.at.c && k.Rand.IntN(2) == 0 {
			ops := []string{"Add", "Mul", "Sub", "Max", "Min", "Sum", "Mean"}
			k.at.x = k.Op(ops[k.Rand.IntN(len(ops))], nil, k.at.x, s.x)
			return
		}
		k.set(k.Op("Concat", Attrs{"axis": k.axis(0)}, s.x, k.at.x), k.at.c+s.c, k.at.h, k.at.w)
		return
	}
}

// activate applies a random function that the operator set has.
func (k *Random) activate() {
	ops := []string{"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "Abs", "Neg", "HardSigmoid", "Softplus", "Softsign"}
	for _, newer := range []struct {
		op    string
		since int
	}{{"Erf", 9}, {"Celu", 12}, {"HardSwish", 14}, {"Mish", 18}, {"Gelu", 20}} {
		if k.Opset >= newer.since {
			ops = append(ops, newer.op)
		}
	}
	k.at.x = k.Op(ops[k.Rand.IntN(len(ops))], nil, k.at.x)
}

// pads are zeros but for what is drawn along the map's axes.
func (k *Random) pads(draw func(axis int) int) []int {
	pads := make([]int, 8)
	for i := range pads {
		if axis := slices.Index([]int{k.axis(0), k.axis(1), k.axis(2)}, i%4); axis >= 0 {
			pads[i] = draw(axis)
		}
	}
	return pads
}
