package onnxtest

// steps are what random models are made of; each leaves them sound, and does nothing
// where the map does not suit it. Those that are fixed tell places apart.
var steps = []struct {
	name  string
	fixed bool
	do    func(k *Random)
}{
	{"conv", false, (*Random).convolve},
	{"conv", false, (*Random).convolve},
	{"pool", false, (*Random).pool},
	{"same pool", false, func(k *Random) {
		k.first()
		k.grow([]int{2, 2}, []int{2, 2}, []int{1, 1})
		k.set(k.Op("MaxPool", Attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}, "auto_pad": "SAME_UPPER"}, k.at.x), k.at.c, (k.at.h+1)/2, (k.at.w+1)/2)
	}},
	{"activation", false, (*Random).activate},
	{"activation", false, (*Random).activate},
	{"residual", false, func(k *Random) {
		k.first()
		x := k.Conv(k.BatchNorm(k.Conv(k.at.x, k.at.c, k.at.c), k.at.c), k.at.c, k.at.c)
		k.grow([]int{5, 5}, []int{1, 1}, []int{1, 1})
		k.at.x = k.Op("Relu", nil, k.Op("Add", nil, x, k.at.x))
	}},
	{"clip", false, func(k *Random) { k.at.x = k.Clip(k.at.x, -.75, 1.5) }},
	{"hard swish", false, func(k *Random) {
		gate := k.Clip(k.Op("Add", nil, k.at.x, k.Num(3)), 0, 6)
		k.at.x = k.Op("Mul", nil, k.at.x, k.Op("Div", nil, gate, k.Num(6)))
	}},
	{"swish", false, func(k *Random) { k.at.x = k.Op("Mul", nil, k.Op("Sigmoid", nil, k.at.x), k.at.x) }},
	{"batch norm", false, func(k *Random) { k.first(); k.at.x = k.BatchNorm(k.at.x, k.at.c) }},
	{"batch norm in parts", false, func(k *Random) {
		k.at.x = k.Op("Add", nil, k.Op("Mul", nil, k.at.x, k.perChannel()), k.perChannel())
	}},
	{"constant on the left", false, func(k *Random) {
		if k.Rand.IntN(2) == 0 {
			k.at.x = k.Op("Sub", nil, k.perChannel(), k.at.x)
			return
		}
		k.at.x = k.Op("Div", nil, k.perChannel(), k.Op("Add", nil, k.Op("Abs", nil, k.at.x), k.Num(.5)))
	}},
	{"prelu", false, func(k *Random) { k.at.x = k.Op("PRelu", nil, k.at.x, k.perChannel()) }},
	{"squeeze and excitation", false, func(k *Random) {
		v := k.Reduce("ReduceMean", k.at.x, 1, k.axis(1), k.axis(2))
		v = k.Op("Mul", nil, v, k.perChannel())
		k.at.x = k.Op("Mul", nil, k.at.x, k.Op("Sigmoid", nil, v))
	}},
	{"gate", false, func(k *Random) { // squeeze and excitation as MobileNets have it
		k.first()
		v := k.Op("Relu", nil, k.Conv1(k.Op("GlobalAveragePool", nil, k.at.x), k.at.c, 1+k.at.c/2))
		k.at.x = k.Op("Mul", nil, k.Op("HardSigmoid", nil, k.Conv1(v, 1+k.at.c/2, k.at.c)), k.at.x)
	}},
	{"spatial attention", false, func(k *Random) {
		k.at.x = k.Op("Mul", nil, k.Op("Sigmoid", nil, k.Reduce("ReduceMax", k.at.x, 1, k.axis(0))), k.at.x)
	}},
	{"strip pooling", true, func(k *Random) {
		k.at.x = k.Op("Add", nil, k.at.x, k.Reduce("ReduceMean", k.at.x, 1, k.axis(1+k.Rand.IntN(2))))
	}},
	{"to channels last", false, func(k *Random) {
		if !k.at.last {
			k.at.x, k.at.last = k.Transpose(k.at.x, 0, 2, 3, 1), true
		}
	}},
	{"to channels first", false, (*Random).first},
	{"linear", false, func(k *Random) {
		if k.at.last {
			out := 1 + k.Rand.IntN(5)
			k.set(k.Op("MatMul", nil, k.at.x, k.Weights(k.at.c, k.at.c, out)), out, k.at.h, k.at.w)
		}
	}},
	{"layer norm", false, func(k *Random) {
		if k.at.last && k.Opset >= 17 && k.at.c > 2 {
			k.at.x = k.Op("LayerNormalization", Attrs{"epsilon": .1}, k.at.x, k.Positive(k.at.c), k.Normal(k.at.c))
		}
	}},
	{"lrn", false, func(k *Random) { k.first(); k.at.x = k.Op("LRN", Attrs{"size": 3, "alpha": .1}, k.at.x) }},
	{"instance norm", false, func(k *Random) {
		k.first()
		if k.at.h*k.at.w > 3 {
			k.at.x = k.Op("InstanceNormalization", Attrs{"epsilon": .1}, k.at.x, k.Positive(k.at.c), k.Normal(k.at.c))
		}
	}},
	{"softmax of channels", false, func(k *Random) {
		if k.Opset >= 13 || k.at.last {
			k.at.x = k.Op("Softmax", Attrs{"axis": k.axis(0)}, k.at.x)
		}
	}},
	{"shuffle", false, func(k *Random) {
		k.first()
		if k.at.c%2 != 0 {
			return
		}
		x := k.Transpose(k.Reshape(k.at.x, 1, 2, k.at.c/2, k.at.h, k.at.w), 0, 2, 1, 3, 4)
		k.at.x = k.Reshape(x, 1, -1, k.at.h, k.at.w)
	}},
	{"split and join", true, func(k *Random) {
		i := k.Rand.IntN(3)
		if n := []int{k.at.c, k.at.h, k.at.w}[i]; n >= 2 {
			at := 1 + k.Rand.IntN(n-1)
			parts := k.Split(k.at.x, k.axis(i), 2, at, n-at)
			k.at.x = k.Op("Concat", Attrs{"axis": k.axis(i)}, k.Op("Relu", nil, parts[1]), parts[0])
		}
	}},
	{"crop", false, func(k *Random) {
		if min(k.at.h, k.at.w) >= 4 {
			k.set(k.Slice(k.at.x, []int{1, 0}, []int{1 << 40, -1}, []int{k.axis(1), k.axis(2)}), k.at.c, k.at.h-1, k.at.w-1)
		}
	}},
	{"pad", false, func(k *Random) {
		mode := []string{"constant", "edge", "reflect"}[k.Rand.IntN(3)]
		if min(k.at.h, k.at.w) < 3 {
			return
		}
		pads := k.pads(func(axis int) int { return min(axis, 1) * k.Rand.IntN(3) })
		h, w := k.at.h+pads[k.axis(1)]+pads[4+k.axis(1)], k.at.w+pads[k.axis(2)]+pads[4+k.axis(2)]
		k.grow([]int{3, 3}, []int{1, 1}, []int{1, 1}) // which two reflected cells are as far as
		k.set(k.Pad(k.at.x, mode, .5, pads...), k.at.c, h, w)
	}},
	{"more channels", false, func(k *Random) {
		pads := k.pads(func(axis int) int { return max(0, 1-axis) * k.Rand.IntN(2) })
		pads[4+k.axis(0)] = 1
		k.set(k.Pad(k.at.x, "constant", 0, pads...), k.at.c+1+pads[k.axis(0)], k.at.h, k.at.w)
	}},
	{"pick channels", false, func(k *Random) {
		if k.at.c >= 2 {
			k.set(k.Op("Gather", Attrs{"axis": k.axis(0)}, k.at.x, k.Ints(k.at.c-1, 0)), 2, k.at.h, k.at.w)
		}
	}},
	{"through a vector", false, func(k *Random) {
		x := k.Op("Relu", nil, k.Op("Flatten", Attrs{"axis": 1}, k.at.x))
		k.at.x = k.Reshape(x, k.dims(k.at.c, k.at.h, k.at.w)...)
	}},
	{"without the batch axis", false, func(k *Random) {
		k.at.x = k.Unsqueeze(k.Op("Tanh", nil, k.Squeeze(k.at.x, 0)), 0)
	}},
	{"remember", false, func(k *Random) { k.earlier = append(k.earlier, k.at) }},
	{"join again", false, (*Random).join},
	{"function", true, func(k *Random) {
		k.at.x = k.Op("LpNormalization", Attrs{"axis": k.axis(2)}, k.Op("Add", nil, k.at.x, k.Num(3)))
	}},
}

// convolve applies a convolution with a random window, of all channels, of groups of
// them, or of each alone.
func (k *Random) convolve() {
	k.first()
	v := k.window(true)
	if !v.ok {
		return
	}
	group, out := 1, 1+k.Rand.IntN(8)
	switch c := k.at.c; {
	case k.Rand.IntN(4) == 0:
		group, out = c, c*(1+k.Rand.IntN(2))
	case c%2 == 0 && k.Rand.IntN(4) == 0:
		group, out = 2, 2*(1+k.Rand.IntN(4))
	}
	in := []string{k.at.x, k.Weights(k.at.c/group*v.kernel[0]*v.kernel[1], out, k.at.c/group, v.kernel[0], v.kernel[1])}
	if k.Rand.IntN(2) == 0 {
		in = append(in, k.Normal(out))
	}
	a := Attrs{"strides": v.stride, "dilations": v.dilation, "pads": v.pads, "group": group}
	k.grow(v.kernel, v.stride, v.dilation)
	k.set(k.Op("Conv", a, in...), out, v.h, v.w)
}

// pool applies a pool with a random window, whose last one may hang over the map's end
// where the operator set lets it.
func (k *Random) pool() {
	k.first()
	v := k.window(false)
	if !v.ok {
		return
	}
	op, since, a := "MaxPool", 10, Attrs{"kernel_shape": v.kernel, "strides": v.stride, "pads": v.pads}
	if k.Rand.IntN(2) == 0 {
		op, a["count_include_pad"] = "AveragePool", k.Rand.IntN(2)
	}
	if k.Opset >= since && k.Rand.IntN(2) == 0 {
		a["ceil_mode"] = 1
		v.h, v.w = v.ceil(0, k.at.h, v.h), v.ceil(1, k.at.w, v.w)
	}
	k.grow(v.kernel, v.stride, v.dilation)
	k.set(k.Op(op, a, k.at.x), k.at.c, v.h, v.w)
}

// ceil is an axis' size of n with a last window that hangs over the end, if that begins
// on the map or on the padding before it.
func (v window) ceil(i, n, floor int) int {
	if rest := (n + v.pads[i] + v.pads[2+i] - v.kernel[i]) % v.stride[i]; rest > 0 && floor*v.stride[i] < n+v.pads[i] {
		return floor + 1
	}
	return floor
}
