package gpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/kernels"
)

// conv is a convolution: one matrix product over the cells of all positions, whose left
// side the kernel gathers itself, or, where groups have few filters, a thread for each
// value.
type conv struct {
	op      network.Conv
	ending  kernels.Ending
	name    string // of the kernel
	columns int    // filters of a group, and what fills up a row of weights
	split   *split // nil without tensor cores
	// weights are packed [group][K][columns], bias [group][columns]; those of groups of one
	// filter side by side, [K][group] and [group].
	weights, bias *buffer
}

// Kernels that are no matrix products.
const (
	direct    = "conv_direct"
	depthwise = "conv_depthwise"
)

// fewFilters is how many filters a group has at most whose convolution is no matrix
// product: tiles of 64 columns would be half empty.
const fewFilters = 31

// smallGroups tells whether groups are too small for a matrix product.
func smallGroups(op network.Conv) bool { return op.Groups > 1 && op.Filters()/op.Groups <= fewFilters }

func newConv(op network.Conv, in network.Shape, end kernels.Ending, how operators.Algorithm, o Options) *conv {
	filters := op.Filters() / op.Groups
	k := &conv{op: op, ending: end, columns: columnsOf(filters)}
	switch {
	case op.Groups > 1 && filters == 1 && op.GroupIn() == 1:
		k.name, k.columns = depthwise, op.Groups
	case smallGroups(op):
		k.name = direct
	default:
		k.name = ffma(in.C, op.GroupIn(), filters)
	}
	if how == operators.Tensor {
		k.split = newSplit(op.Groups, filters, op.GroupIn(), op.Taps(), true, o)
	}
	return k
}

// bytes implements weighty.
func (k *conv) bytes() int64 {
	groups := k.op.Groups
	if k.name == depthwise {
		groups = 1
	}
	return packed(groups*k.op.Taps()*k.op.GroupIn(), k.columns) + packed(groups, k.columns) + k.split.bytes()
}

// upload implements weighty.
func (k *conv) upload(put func([]byte) (*buffer, error)) (err error) {
	filters, taps := k.op.Filters()/k.op.Groups, k.op.Taps()*k.op.GroupIn()
	groups := k.op.Groups
	if k.name == depthwise { // one group, in whose columns the filters are
		filters, groups = groups, 1
	}
	weights, bias := make([]float32, groups*taps*k.columns), make([]float32, groups*k.columns)
	from := k.op.Weights.Data().([]float32)
	for f := range k.op.Filters() {
		group, column := f/filters, f%filters
		for t, v := range from[f*taps : (f+1)*taps] {
			weights[(group*taps+t)*k.columns+column] = v
		}
		if k.op.Bias != nil {
			bias[group*k.columns+column] = k.op.Bias[f]
		}
	}
	if k.weights, err = put(bytesOf(weights)); err != nil {
		return err
	}
	if k.bias, err = put(bytesOf(bias)); err != nil {
		return err
	}
	return k.split.upload(from, k.op.Filters(), put)
}

func (k *conv) run(s *step) error {
	filters := k.op.Filters() / k.op.Groups
	a := &kernels.Conv{
		Name: k.name, Out: s.out, Rows: kernels.Int(s.rows), In: s.in[0], Window: window(k.op.Window, s.layer.In[0].Shape.H),
		Weights: k.weights.pointer(), Bias: k.bias.pointer(), Depth: kernels.Int(k.op.GroupIn()), Filters: kernels.Int(filters),
		Columns: kernels.Int(k.columns), Channels: kernels.Int(k.op.Filters()), Ending: k.ending,
	}
	if k.op.Residual {
		a.Residual = s.in[1]
	}
	if k.name == direct || k.name == depthwise {
		return s.launch(a, s.each(k.op.Filters()))
	}
	return s.product(a, k.split, k.op.Groups)
}
