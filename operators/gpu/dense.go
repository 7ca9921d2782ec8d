package gpu

import (
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// dense is a fully-connected layer: a convolution whose window is the map and whose
// output is one cell. Where the clean image's sums are known only what changed is
// multiplied: the layer is linear. The difference to the view takes the view's place,
// and the kernel leaves out the rows of the window in which no position of a tile has
// changed.
type dense struct {
	op            network.Dense
	in            network.Shape
	ending        kernels.Ending
	name          string
	outputs       int
	columns       int
	split         *split // nil without tensor cores
	weights, bias *buffer
}

// splitAt is how many products are summed up by one block: so many partial sums keep a
// device busy, and more accurate. No result depends on a batch's size, so this does not.
const splitAt = 2048

func newDense(op network.Dense, in network.Shape, end kernels.Ending, how operators.Algorithm, o Options) *dense {
	outputs := op.Weights.Shape()[0]
	k := &dense{op: op, in: in, ending: end, outputs: outputs, name: ffma(in.C, in.C, outputs), columns: columnsOf(outputs)}
	if how == operators.Tensor {
		k.split = newSplit(1, outputs, in.C, in.Cells(), false, o)
	}
	return k
}

// linear tells whether the sums of the clean image are of use: in maps, not in vectors,
// which change everywhere.
func (k *dense) linear() bool { return k.in.Cells() > 1 }

// parts is how many partial sums there are, on tensor cores or without.
func (k *dense) parts(tensor bool) int {
	n := k.in.Len()
	if tensor {
		n = k.in.Cells() * kernels.Deep(k.in.C)
	}
	return max(1, (n+splitAt-1)/splitAt)
}

// bytes implements weighty.
func (k *dense) bytes() int64 {
	return packed(k.in.Len(), k.columns) + packed(1, k.columns) + k.split.bytes()
}

// upload implements weighty.
func (k *dense) upload(put func([]byte) (*buffer, error)) (err error) {
	n := k.in.Len()
	weights, bias := make([]float32, n*k.columns), make([]float32, k.columns)
	from := k.op.Weights.Data().([]float32)
	const tile = 64 // inputs whose rows stay in the cache
	for lo := 0; lo < n; lo += tile {
		hi := min(lo+tile, n)
		for o := range k.outputs {
			for i, v := range from[o*n+lo : o*n+hi] {
				weights[(lo+i)*k.columns+o] = v
			}
		}
	}
	copy(bias, k.op.Bias)
	if k.weights, err = put(bytesOf(weights)); err != nil {
		return err
	}
	if k.bias, err = put(bytesOf(bias)); err != nil {
		return err
	}
	return k.split.upload(from, k.outputs, put)
}

// scratch implements scratchy: the difference to the view, and partial sums.
func (k *dense) scratch(cells, inputs int64) int64 {
	bytes := k.partials(cells)
	if k.linear() {
		bytes += aligned(4 * inputs * int64(k.in.C))
	}
	return bytes
}

func (k *dense) partials(cells int64) int64 {
	parts := k.parts(k.split != nil)
	if parts == 1 {
		return 0
	}
	return aligned(4 * cells * int64(parts) * int64(k.outputs))
}

func (k *dense) run(s *step) error {
	in, bias := s.in[0], k.bias.pointer()
	if k.linear() && s.base != 0 && s.sums != 0 && in.View != 0 {
		changed := s.scratch + driver.Pointer(k.partials(s.all))
		if err := k.difference(s, in, changed); err != nil {
			return err
		}
		in.View, in.Data, in.Pitch, bias = 0, changed, in.C, s.sums
	}
	if s.base == 0 && s.sums != 0 { // the base pass
		sums := s.out
		sums.Data, sums.Pitch = s.sums, kernels.Int(k.outputs)
		if err := k.sum(s, in, bias, sums, open); err != nil {
			return err
		}
	}
	return k.sum(s, in, bias, s.out, k.ending)
}

// difference puts what an update differs from the view by where changed says.
func (k *dense) difference(s *step, in kernels.Source, changed driver.Pointer) error {
	view := in
	in.Table, view.Table = s.made, s.unchanged
	return s.launch(&kernels.Binary{
		Out: kernels.Out{Data: changed, Table: s.made, Positions: s.out.Positions, Pitch: in.C}, C: in.C,
		A: in, AH: kernels.Int(k.in.H), B: view, BH: kernels.Int(k.in.H), Op: subtract, Ending: open,
	}, grid(s.inputMost, k.in.C, int(s.out.Positions)))
}

// subtract is the number of what differences are made by.
var subtract = kernels.Int(slices.Index(kernels.Arithmetic, network.Sub))

// sum queues the matrix product.
func (k *dense) sum(s *step, in kernels.Source, bias driver.Pointer, out kernels.Out, end kernels.Ending) error {
	a := &kernels.Conv{
		Name: k.name, Out: out, Rows: kernels.Int(s.rows), In: in,
		Window: kernels.Window{
			H: kernels.Int(k.in.H), KernelY: kernels.Int(k.in.H), KernelX: kernels.Int(k.in.W), StrideY: 1, StrideX: 1, DilationY: 1, DilationX: 1,
		},
		Weights: k.weights.pointer(), Bias: bias, Depth: kernels.Int(k.in.C), Filters: kernels.Int(k.outputs),
		Columns: kernels.Int(k.columns), Channels: kernels.Int(k.outputs), Ending: end,
	}
	parts := k.parts(s.tensor(k.split))
	if parts == 1 {
		return s.product(a, k.split, 1)
	}
	a.Data, a.Split = s.scratch, splitAt
	if err := s.product(a, k.split, parts); err != nil {
		return err
	}
	return s.launch(&kernels.Reduce{
		Out: out, Rows: kernels.Int(s.rows), Partials: s.scratch, Bias: bias, Channels: kernels.Int(k.outputs),
		Parts: kernels.Int(parts), Ending: end,
	}, s.each(k.outputs))
}
