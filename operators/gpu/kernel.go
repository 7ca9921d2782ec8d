package gpu

import (
	"fmt"
	"math"
	"slices"

	"occlude/internal/network"
	"occlude/operators/gpu/kernels"
)

// kernel computes one layer. It holds the layer's weights on the device; all workers
// share it.
type kernel interface {
	// run queues what computes the layer's updates of a part of a batch.
	run(s *step) error
}

// weighty is a kernel with weights.
type weighty interface {
	// bytes is the device memory that they take.
	bytes() int64
	// upload brings them to the device by put.
	upload(put func([]byte) (*buffer, error)) error
}

// scratchy is a kernel that needs memory while it runs.
type scratchy interface {
	// scratch is how many bytes it takes for so many cells of output and of the first
	// input.
	scratch(cells, inputs int64) int64
}

// packed is what so many rows of weights take; none take something, too.
func packed(rows, columns int) int64 { return aligned(max(1, 4*int64(rows)*int64(columns))) }

// vector is how many values kernels read at once where addresses allow it.
const vector = 4

// newKernel makes the kernel of a layer, nil for layers that only hold data. The error is
// *Unsupported, or about an algorithm.
func newKernel(l *network.Layer, o Options) (kernel, error) {
	refuse := func(format string, args ...any) (kernel, error) {
		return nil, &Unsupported{l, fmt.Sprintf(format, args...)}
	}
	end, ok := endingOf(l)
	if !ok {
		return refuse("no GPU kernel knows its activation")
	}
	if l.Shape.Len() > mostValues {
		return refuse("its map has more than %d values", mostValues)
	}
	how, err := o.of(l)
	if err != nil {
		return nil, err
	}
	switch op := l.Op.(type) {
	case network.Input, network.Const:
		return nil, nil
	case network.Conv:
		return newConv(op, l.In[0].Shape, end, how, o), nil
	case network.Dense:
		return newDense(op, l.In[0].Shape, end, how, o), nil
	case network.Pool:
		return pool{op}, nil
	case network.Pointwise:
		return pointwise{end}, nil
	case network.PRelu:
		return &affine{scale: op.Slope, negative: 1, ending: open}, nil
	case network.Affine:
		return &affine{scale: op.Scale, shift: op.Shift, ending: end}, nil
	case network.Binary:
		if fn := slices.Index(kernels.Arithmetic, op.Fn); fn >= 0 {
			return binary{fn, end}, nil
		}
		return refuse("no GPU kernel computes it")
	case network.LRN:
		return lrn{op}, nil
	case network.Softmax:
		return softmax{op.Log}, nil
	case network.ChannelReduce:
		return channelReduce{slices.Index(kernels.Reductions, op.Fn)}, nil
	case network.Concat:
		return &concat{}, nil
	case network.Channels:
		return &channels{index: op.Index}, nil
	case network.Slice:
		return slice{op}, nil
	case network.Pad:
		return pad{op, slices.Index(kernels.PadModes, op.Mode)}, nil
	case network.GlobalPool:
		return globalPool{slices.Index(kernels.Reductions, op.Fn)}, nil
	case network.InstanceNorm:
		return &instanceNorm{op: op}, nil
	case network.Flatten:
		return rearrange{kernels.Flatten}, nil
	case network.Unflatten:
		return rearrange{kernels.Unflatten}, nil
	case network.Reshaped:
		return rearrange{kernels.Reshape}, nil
	case network.Function:
		return refuse("it is computed by code for the processor")
	}
	return refuse("no GPU kernel computes it")
}

// mostValues is how many values a map has at most, which kernels count by int, each thread up to
// the next of its values that is there no more.
const mostValues = math.MaxInt32 - maxBlocks*kernels.Threads

// open leaves values as they are.
var open = bounds(float32(math.Inf(-1)), float32(math.Inf(1)))

func bounds(low, high float32) kernels.Ending {
	return kernels.Ending{Low: kernels.F(low), High: kernels.F(high)}
}

// endingOf is the ending of a layer with an activation.
func endingOf(l *network.Layer) (kernels.Ending, bool) {
	var a network.Activation
	switch op := l.Op.(type) {
	case network.Fused:
		a = op.Activation()
	case network.Pointwise:
		a = op.Act
	}
	switch a.Fn {
	case network.Relu:
		return bounds(0, float32(math.Inf(1))), true
	case network.Clip:
		return bounds(a.Alpha, a.Beta), true
	}
	e := open
	fn := slices.Index(kernels.Functions, a.Fn)
	e.Fn, e.Alpha, e.Beta = kernels.Int(fn), kernels.F(a.Alpha), kernels.F(a.Beta)
	return e, fn >= 0
}

// window is a network's window in a kernel's arguments.
func window(w network.Window, h int) kernels.Window {
	return kernels.Window{
		H: kernels.Int(h), KernelY: kernels.Int(w.Y.Kernel), KernelX: kernels.Int(w.X.Kernel),
		StrideY: kernels.Int(w.Y.Stride), StrideX: kernels.Int(w.X.Stride), PadY: kernels.Int(w.Y.Pad), PadX: kernels.Int(w.X.Pad),
		DilationY: kernels.Int(w.Y.Dilation), DilationX: kernels.Int(w.X.Dilation),
	}
}
