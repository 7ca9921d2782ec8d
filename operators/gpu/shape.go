package gpu

import (
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// Shape is what a network takes of a device and has it do, which is known without one: a
// kernel for each layer, and how long each layer's values are needed. A planner sizes batches
// by it; a Program is one with weights on a device.
type Shape struct {
	net     *network.Network
	kernels []kernel // by layer Index, nil for layers that hold data
	// lastRead is, by layer Index, the last layer that reads the layer; the output is
	// kept to the end.
	lastRead []int
	inside   []inside
	limit    int64 // work of one launch, see launchWork
	// scaled tells, by layer Index, which layers' values are scaled by the layers that read
	// them, on tensor cores.
	scaled []bool
}

// NewShape chooses the kernels of a network. The network must be sorted, and must not
// change afterwards. The error is *Unsupported.
func NewShape(net *network.Network, o Options) (*Shape, error) {
	s := &Shape{net: net, limit: launchWork, kernels: make([]kernel, len(net.Layers)), lastRead: make([]int, len(net.Layers)), scaled: make([]bool, len(net.Layers))}
	for i, l := range net.Layers {
		var err error
		if s.kernels[i], err = newKernel(l, o); err != nil {
			return nil, err
		}
		s.lastRead[i] = i
		for _, in := range l.In {
			s.lastRead[in.Index] = i
		}
		switch k := s.kernels[i].(type) {
		case *conv:
			s.scaled[l.In[0].Index] = s.scaled[l.In[0].Index] || k.split != nil
		case *dense:
			s.scaled[l.In[0].Index] = s.scaled[l.In[0].Index] || k.split != nil
		}
	}
	s.lastRead[net.Output.Index] = len(net.Layers)
	s.join()
	return s, nil
}

// constant tells whether a layer is a constant map, which is kept with the weights.
func (s *Shape) constant(layer int) bool {
	_, ok := s.net.Layers[layer].Op.(network.Const)
	return ok
}

// Bytes is the device memory that a worker needs for a batch of positions that compute
// the rectangles, or smaller ones. What all workers share is ViewBytes and Weights.
func (s *Shape) Bytes(rects []region.Rect, positions int) (int64, error) {
	l, err := s.lay(s.uniform(rects, positions), false)
	if err != nil {
		return 0, err
	}
	return l.bytes, nil
}

// BytesOf is the same for a batch as it is. Only whether patches have data matters of it.
func (s *Shape) BytesOf(batch []operators.Update) (int64, error) {
	l, err := s.lay(s.sizeOf(stretches(batch)), false)
	if err != nil {
		return 0, err
	}
	return l.bytes, nil
}

// BaseBytes is the device memory that the worker of a base pass needs, beside the views that
// it makes.
func (s *Shape) BaseBytes() (int64, error) {
	l, err := s.lay(s.uniform(s.wholes(), 1), true)
	if err != nil {
		return 0, err
	}
	return l.bytes, nil
}

// wholes are the rectangles of whole maps, of all layers that compute.
func (s *Shape) wholes() []region.Rect {
	rects := make([]region.Rect, len(s.net.Layers))
	for i, l := range s.net.Layers {
		if i == 0 || s.kernels[i] != nil {
			rects[i] = l.Shape.Whole()
		}
	}
	return rects
}

// Weights is how many bytes of the device the weights take.
func (s *Shape) Weights() int64 {
	var n int64
	for i, l := range s.net.Layers {
		if s.constant(i) {
			n += aligned(4 * int64(l.Shape.Len()))
		}
		if k, ok := s.kernels[i].(weighty); ok {
			n += k.bytes()
		}
	}
	return n
}

// tensor tells whether some layer is computed on tensor cores.
func (s *Shape) tensor() bool { return slices.Contains(s.scaled, true) }

// largestBytes is what the largest values of all layers take, a number each.
func (s *Shape) largestBytes() int64 {
	if !s.tensor() {
		return 0
	}
	return aligned(4 * int64(len(s.net.Layers)))
}

// ViewBytes is the device memory that all views of an image take.
func (s *Shape) ViewBytes() int64 {
	n := s.largestBytes()
	for i, l := range s.net.Layers {
		if s.constant(i) {
			continue
		}
		n += aligned(4 * int64(l.Shape.Len()))
		if k, ok := s.kernels[i].(*dense); ok && k.linear() {
			n += aligned(4 * int64(k.columns))
		}
	}
	return n
}
