package gpu

import (
	"occlude/internal/network"
	"occlude/operators/gpu/kernels"
)

// flag is a truth as kernels take it.
func flag(b bool) kernels.Int {
	if b {
		return 1
	}
	return 0
}

// pool takes the largest value or the mean of each window.
type pool struct{ op network.Pool }

func (k pool) run(s *step) error {
	return s.launch(&kernels.Pool{
		Out: s.out, In: s.in[0], Window: window(k.op.Window, s.layer.In[0].Shape.H), Max: flag(k.op.Max),
		CountPad: flag(k.op.CountPad), AfterY: kernels.Int(k.op.After.Y), AfterX: kernels.Int(k.op.After.X),
	}, s.each(s.layer.Shape.C))
}

// pointwise applies a function to every value.
type pointwise struct{ ending kernels.Ending }

func (k pointwise) run(s *step) error {
	c := s.layer.Shape.C
	return s.launch(&kernels.Place{Out: s.out, In: s.in[0], N: kernels.Int(c), Ending: k.ending}, s.each(c))
}

// affine scales and shifts by channel, or scales negative values.
type affine struct {
	scale, shift     []float32
	negative         kernels.Int
	ending           kernels.Ending
	scaleAt, shiftAt *buffer
}

// bytes implements weighty.
func (k *affine) bytes() int64 { return packed(1, len(k.scale)) + packed(1, len(k.shift)) }

// upload implements weighty.
func (k *affine) upload(put func([]byte) (*buffer, error)) (err error) {
	if k.scaleAt, err = put(bytesOf(k.scale)); err != nil {
		return err
	}
	k.shiftAt, err = put(bytesOf(k.shift))
	return err
}

func (k *affine) run(s *step) error {
	return s.launch(&kernels.Affine{
		Out: s.out, In: s.in[0], Scale: k.scaleAt.pointer(), Shift: k.shiftAt.pointer(), Negative: k.negative, Ending: k.ending,
	}, s.each(s.layer.Shape.C))
}

// binary combines two maps.
type binary struct {
	fn     int
	ending kernels.Ending
}

func (k binary) run(s *step) error {
	c := s.layer.Shape.C
	return s.launch(&kernels.Binary{
		Out: s.out, C: kernels.Int(c), A: s.in[0], AH: kernels.Int(s.layer.In[0].Shape.H),
		B: s.in[1], BH: kernels.Int(s.layer.In[1].Shape.H), Op: kernels.Int(k.fn), Ending: k.ending,
	}, s.each(c))
}

// lrn divides each value by a power of the energy of its neighbouring channels.
type lrn struct{ op network.LRN }

func (k lrn) run(s *step) error {
	return s.launch(&kernels.LRN{
		Out: s.out, In: s.in[0], Size: kernels.Int(k.op.Size), Alpha: kernels.F(k.op.Alpha), Beta: kernels.F(k.op.Beta), Bias: kernels.F(k.op.Bias),
	}, s.each(s.layer.Shape.C))
}

// warps is the grid of kernels whose warps take a cell each.
func (s *step) warps() [3]int {
	return [3]int{blocks(32 * int64(s.most)), int(s.out.Positions), 1}
}

// softmax makes probabilities, or their logarithms, of each cell's channels.
type softmax struct{ log bool }

func (k softmax) run(s *step) error {
	return s.launch(&kernels.Softmax{Out: s.out, In: s.in[0], Log: flag(k.log)}, s.warps())
}

// channelReduce makes one channel of many.
type channelReduce struct{ fn int }

func (k channelReduce) run(s *step) error {
	return s.launch(&kernels.ChannelReduce{Out: s.out, In: s.in[0], Fn: kernels.Int(k.fn)}, s.warps())
}

// channels picks channels.
type channels struct {
	index []int
	at    *buffer
}

// bytes implements weighty.
func (k *channels) bytes() int64 { return packed(1, len(k.index)) }

// upload implements weighty.
func (k *channels) upload(put func([]byte) (*buffer, error)) (err error) {
	index := make([]int32, len(k.index))
	for i, c := range k.index {
		index[i] = int32(c)
	}
	k.at, err = put(bytesOf(index))
	return err
}

func (k *channels) run(s *step) error {
	c := s.layer.Shape.C
	return s.launch(&kernels.Place{
		Out: s.out, In: s.in[0], N: kernels.Int(c), Index: k.at.pointer(), Ending: open,
	}, s.each(c))
}

// slice crops and skips rows and columns.
type slice struct{ op network.Slice }

func (k slice) run(s *step) error {
	return s.launch(&kernels.Slice{
		Out: s.out, In: s.in[0], StartY: kernels.Int(k.op.Y.Start), StepY: kernels.Int(k.op.Y.Step),
		StartX: kernels.Int(k.op.X.Start), StepX: kernels.Int(k.op.X.Step),
	}, s.each(s.layer.Shape.C))
}

// pad surrounds a map with cells.
type pad struct {
	op   network.Pad
	mode int
}

func (k pad) run(s *step) error {
	return s.launch(&kernels.Pad{
		Out: s.out, In: s.in[0], H: kernels.Int(s.layer.In[0].Shape.H), Top: kernels.Int(k.op.Top), Left: kernels.Int(k.op.Left),
		Mode: kernels.Int(k.mode), Value: kernels.F(k.op.Value),
	}, s.each(s.layer.Shape.C))
}
