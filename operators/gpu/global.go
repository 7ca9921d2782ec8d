package gpu

import (
	"occlude/internal/network"
	"occlude/operators/gpu/kernels"
)

// globalPool makes a vector of a map; a mean or a sum from the clean image's one.
type globalPool struct{ fn int }

func (k globalPool) run(s *step) error {
	const together = 32 // pieces of channels of a block
	pieces := s.layer.Shape.C
	if pieces%vector == 0 {
		pieces /= vector
	}
	return s.launch(&kernels.GlobalPool{
		Out: s.out, In: s.in[0], H: kernels.Int(s.layer.In[0].Shape.H), Fn: kernels.Int(k.fn), Base: s.base,
	}, [3]int{(pieces + together - 1) / together, int(s.out.Positions), 1})
}

// instanceNorm normalizes each channel by its mean and variance over the map.
type instanceNorm struct {
	op           network.InstanceNorm
	scale, shift *buffer
}

// bytes implements weighty.
func (k *instanceNorm) bytes() int64 { return packed(1, len(k.op.Scale)) + packed(1, len(k.op.Shift)) }

// upload implements weighty.
func (k *instanceNorm) upload(put func([]byte) (*buffer, error)) (err error) {
	if k.scale, err = put(bytesOf(k.op.Scale)); err != nil {
		return err
	}
	k.shift, err = put(bytesOf(k.op.Shift))
	return err
}

func (k *instanceNorm) run(s *step) error {
	return s.launch(&kernels.InstanceNorm{
		Out: s.out, In: s.in[0], H: kernels.Int(s.layer.Shape.H), Scale: k.scale.pointer(), Shift: k.shift.pointer(), Epsilon: kernels.F(k.op.Epsilon),
	}, [3]int{blocks(int64(s.layer.Shape.C)), int(s.out.Positions), 1})
}

// rearrange shows a map's values in another order.
type rearrange struct{ mode int }

func (k rearrange) run(s *step) error {
	out := s.layer.Shape
	return s.launch(&kernels.Rearrange{
		Out: s.out, H: kernels.Int(out.H), W: kernels.Int(out.W), C: kernels.Int(out.C), In: s.in[0],
		InH: kernels.Int(s.layer.In[0].Shape.H), Mode: kernels.Int(k.mode),
	}, s.each(out.C))
}
