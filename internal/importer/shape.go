package importer

import (
	"fmt"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

func (b *builder) identity(_ *onnx.Node, in []value) (value, error) { return in[0], nil }

// dropout is the identity. In training mode it would be noise, unless nothing
// is dropped: torchvision's Swin is exported so.
func (b *builder) dropout(n *onnx.Node, in []value) (value, error) {
	if len(n.Outputs) > 1 && n.Outputs[1] != "" {
		return value{}, errNoLayer
	}
	if len(in) > 2 && !in[2].isAbsent() {
		on, known := in[2].scalar()
		ratio, given := in[1].scalar()
		if (!known || on != 0) && !(given && ratio == 0) {
			return value{}, fmt.Errorf("is in training mode: export the model for inference")
		}
	}
	return in[0], nil
}

// cast between floating point types changes nothing: layers are float32.
func (b *builder) cast(n *onnx.Node, in []value) (value, error) {
	const float, float16, double, bfloat16 = 1, 10, 11, 16 // TensorProto.DataType
	switch n.Int("to", 0) {
	case float, float16, double, bfloat16:
		return in[0], nil
	}
	return value{}, errNoLayer
}

// castLike is a cast to the type of another value; layers are floating point.
func (b *builder) castLike(_ *onnx.Node, in []value) (value, error) {
	if in[1].isConst() && !in[1].constant.DType.IsFloat() {
		return value{}, errNoLayer
	}
	return in[0], nil
}

func (b *builder) shape(n *onnx.Node, in []value) (value, error) {
	rank := len(in[0].dims)
	clip := func(a int) int {
		if a < 0 {
			a += rank
		}
		return min(max(a, 0), rank)
	}
	start, end := clip(n.Int("start", 0)), clip(n.Int("end", rank))
	dims := []int64{}
	for i := start; i < end; i++ {
		dims = append(dims, int64(in[0].dims[i]))
	}
	b.folded++
	return constValue(onnx.New([]int{len(dims)}, dims)), nil
}

func (b *builder) size(_ *onnx.Node, in []value) (value, error) {
	b.folded++
	return constValue(onnx.Scalar(int64(product(in[0].dims)))), nil
}

// reshaped sees a value under another shape of the same row-major elements.
func (b *builder) reshaped(v value, dims []int) (value, error) {
	if product(dims) != product(v.dims) {
		return value{}, fmt.Errorf("cannot make %s of %s", onnx.FormatDims(dims), onnx.FormatDims(v.dims))
	}
	n := len(dims)
	switch {
	case equalDims(v.dims, dims):
		return v, nil
	case v.order == chw && n >= 3 && dims[0] == 1 && equalDims(v.dims[len(v.dims)-2:], dims[n-2:]):
		return value{layer: v.layer, dims: dims, order: chw}, nil
	case v.order == hwc && n >= 4 && equalDims(v.dims[:3], dims[:3]):
		return value{layer: v.layer, dims: dims, order: hwc}, nil
	}
	f, err := b.vector(v)
	f.dims = dims
	return f, err
}

func (b *builder) reshape(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	to := n.Ints("shape") // opset 1 to 4
	if len(in) > 1 {
		if !in[1].isConst() {
			return value{}, errNoLayer
		}
		var err error
		if to, err = in[1].constant.Ints(); err != nil {
			return value{}, err
		}
	}
	dims := append([]int(nil), to...)
	if b.batch > 1 && len(dims) > 0 && dims[0] == b.batch && batched(dims, b.batch, product(v.dims)) {
		dims[0] = 1 // the network is the model on one image
	}
	rest, known, total := -1, 1, product(v.dims)
	for i, d := range dims {
		switch {
		case d == -1 && rest < 0:
			rest = i
			continue
		case d == 0 && n.Int("allowzero", 0) == 0 && i < len(v.dims):
			dims[i] = v.dims[i]
		case d <= 0:
			return value{}, fmt.Errorf("has a target shape of %v", to)
		}
		if dims[i] > total/known {
			return value{}, fmt.Errorf("cannot make %v of %s", to, onnx.FormatDims(v.dims))
		}
		known *= dims[i]
	}
	if rest >= 0 {
		dims[rest] = total / known
	}
	return b.reshaped(v, dims)
}

// batched tells whether a target shape is that of a batch of values with n
// elements each.
func batched(to []int, batch, n int) bool {
	for i, d := range to {
		if d < 0 || (d == 0 && i > 0) {
			return true // the rest or the input decides
		}
	}
	total, err := onnx.Count(to)
	return err == nil && total == batch*n
}

func (b *builder) flatten(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	axis := n.Int("axis", 1)
	if axis < 0 {
		axis += len(v.dims)
	}
	if axis < 0 || axis > len(v.dims) {
		return value{}, fmt.Errorf("has an axis of %d for %s", n.Int("axis", 1), onnx.FormatDims(v.dims))
	}
	return b.reshaped(v, []int{product(v.dims[:axis]), product(v.dims[axis:])})
}

func (b *builder) squeeze(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	drop := map[int]bool{}
	if len(n.Ints("axes")) == 0 && (len(in) < 2 || in[1].isAbsent()) {
		for a, d := range v.dims {
			drop[a] = d == 1
		}
	} else {
		axes, ok := axesOf(n, in, len(v.dims))
		if !ok {
			return value{}, errNoLayer
		}
		for _, a := range axes {
			drop[a] = true
		}
	}
	dims := []int{}
	for a, d := range v.dims {
		if !drop[a] {
			dims = append(dims, d)
		}
	}
	return b.reshaped(v, dims)
}

func (b *builder) unsqueeze(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	given := n.Ints("axes")
	if len(in) > 1 {
		if !in[1].isConst() {
			return value{}, errNoLayer
		}
		var err error
		if given, err = in[1].constant.Ints(); err != nil {
			return value{}, err
		}
	}
	rank := len(v.dims) + len(given)
	dims := make([]int, rank)
	for _, a := range given {
		if a < 0 {
			a += rank
		}
		if a < 0 || a >= rank || dims[a] != 0 {
			return value{}, fmt.Errorf("has axes of %v for %s", given, onnx.FormatDims(v.dims))
		}
		dims[a] = 1
	}
	next := 0
	for i := range dims {
		if dims[i] == 0 {
			dims[i] = v.dims[next]
			next++
		}
	}
	return b.reshaped(v, dims)
}

// transpose costs nothing when it swaps map orders or moves axes of size one,
// and picks channels when it permutes channel factors.
func (b *builder) transpose(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	rank := len(v.dims)
	perm := n.Ints("perm")
	if perm == nil {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	if !isPermutation(perm, rank) {
		return value{}, fmt.Errorf("has a permutation of %v for %s", perm, onnx.FormatDims(v.dims))
	}
	dims := make([]int, rank)
	moved := []int{} // the axes larger than one, in their new order
	inOrder := true
	for i, p := range perm {
		dims[i] = v.dims[p]
		if v.dims[p] != 1 {
			inOrder = inOrder && (len(moved) == 0 || moved[len(moved)-1] < p)
			moved = append(moved, p)
		}
	}
	if v.order == flat && rank == 4 && v.dims[0] == 1 && !inOrder {
		var err error
		if v, err = b.transposable(v, perm); err != nil {
			return value{}, err
		}
	}
	if v.order == flat && inOrder {
		return value{layer: v.layer, dims: dims, order: flat}, nil
	}
	if v.order == flat || perm[0] != 0 {
		return value{}, errNoLayer
	}
	y, x := v.spatialAxes()
	from, to := v.channelAxes()
	channelPerm := make([]int, 0, to-from)
	for _, p := range perm {
		if p >= from && p < to {
			channelPerm = append(channelPerm, p-from)
		}
	}
	out := value{layer: v.layer, dims: dims}
	switch {
	case rank >= 3 && perm[rank-2] == y && perm[rank-1] == x:
		out.order = chw
	case rank >= 4 && perm[1] == y && perm[2] == x:
		out.order = hwc
	default:
		return value{}, errNoLayer
	}
	if isIdentity(channelPerm) {
		return out, nil
	}
	var err error
	out.layer, err = b.add("shuffle", network.Channels{Index: permuted(v.dims[from:to], channelPerm)}, v.layer)
	return out, err
}

// transposable sees a row-major 1 x a x b x c vector as the map whose channels
// the permutation leaves together.
func (b *builder) transposable(v value, perm []int) (value, error) {
	d := v.dims
	if equalDims(perm, []int{0, 3, 1, 2}) {
		l, err := b.add("reshape", network.Reshaped{To: network.Shape{H: d[1], W: d[2], C: d[3]}}, v.layer)
		return value{layer: l, dims: d, order: hwc}, err
	}
	return b.imageMap(v)
}

func isPermutation(perm []int, n int) bool {
	seen := make([]bool, n)
	for _, p := range perm {
		if p < 0 || p >= n || seen[p] {
			return false
		}
		seen[p] = true
	}
	return len(perm) == n
}

func isIdentity(perm []int) bool {
	for i, p := range perm {
		if i != p {
			return false
		}
	}
	return true
}

// permuted lists, for row-major elements of dims, the old place of each element
// after the axes were permuted.
func permuted(dims, perm []int) []int {
	strides := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = n
		n *= dims[i]
	}
	index := make([]int, 0, n)
	var walk func(axis, at int)
	walk = func(axis, at int) {
		if axis == len(perm) {
			index = append(index, at)
			return
		}
		for i := range dims[perm[axis]] {
			walk(axis+1, at+i*strides[perm[axis]])
		}
	}
	walk(0, 0)
	return index
}
