package network

import (
	"fmt"

	"occlude/operators/region"
)

// Shape is the size of one image's feature map: rows, columns, channels.
type Shape struct{ H, W, C int }

// Len is the number of values.
func (s Shape) Len() int { return s.H * s.W * s.C }

// Cells is the number of positions, H*W.
func (s Shape) Cells() int { return s.H * s.W }

// Whole is the rectangle of the whole map.
func (s Shape) Whole() region.Rect { return region.Whole(s.H, s.W) }

// IsVector tells whether the map is a single cell.
func (s Shape) IsVector() bool { return s.H == 1 && s.W == 1 }

// String prints HxWxC, a vector as its length alone.
func (s Shape) String() string {
	if s.IsVector() {
		return fmt.Sprint(s.C)
	}
	return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C)
}

// Vector is the shape of n values without a place.
func Vector(n int) Shape { return Shape{1, 1, n} }

// Layer is one node of the network.
type Layer struct {
	Index int    // place in Network.Layers, set by Sort
	Name  string // the ONNX node's name, or one made from what it is
	Op    Op
	In    []*Layer
	Shape Shape // of the output, set by Add and Network.Infer
}

// InShapes are the shapes of the layer's inputs.
func (l *Layer) InShapes() []Shape {
	in := make([]Shape, len(l.In))
	for i, p := range l.In {
		in[i] = p.Shape
	}
	return in
}

// Update is the rectangle of the layer's output that can change when the given
// rectangles of its inputs do.
func (l *Layer) Update(in []region.Rect) region.Rect { return l.Op.Update(l, in) }

// Reads is the read-in context: the rectangle of input i, clipped to the map,
// that computing the rectangle out reads.
func (l *Layer) Reads(i int, out region.Rect) region.Rect {
	if out.Empty() {
		return region.Rect{}
	}
	s := l.In[i].Shape
	return l.Op.Reads(l, i, out).Clip(s.H, s.W)
}

// Work is what computing the rectangle out of the layer's output costs.
func (l *Layer) Work(out region.Rect) Work { return l.Op.Work(l, out) }

func (l *Layer) String() string { return fmt.Sprintf("%s %q", l.Op.Kind(), l.Name) }

// Network is a layer graph with one image going in and one vector of class
// scores coming out.
type Network struct {
	Layers []*Layer
	Output *Layer
}

// New starts a network with its input layer.
func New(name string, shape Shape) *Network {
	in := &Layer{Name: name, Op: Input{}, Shape: shape}
	return &Network{Layers: []*Layer{in}, Output: in}
}

// Input is the layer that holds the preprocessed image.
func (n *Network) Input() *Layer { return n.Layers[0] }

// Add appends a layer, infers its shape and makes it the output.
func (n *Network) Add(name string, op Op, in ...*Layer) (*Layer, error) {
	l := &Layer{Index: len(n.Layers), Name: name, Op: op, In: in}
	shape, err := op.Shape(l.InShapes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l, err)
	}
	l.Shape = shape
	n.Layers = append(n.Layers, l)
	n.Output = l
	return l, nil
}

// Clone copies the graph; ops and weights are shared, for nobody changes them.
func (n *Network) Clone() *Network {
	copies := make(map[*Layer]*Layer, len(n.Layers))
	c := &Network{Layers: make([]*Layer, len(n.Layers))}
	for i, l := range n.Layers {
		d := *l
		d.In = make([]*Layer, len(l.In))
		for j, p := range l.In {
			d.In[j] = copies[p]
		}
		copies[l] = &d
		c.Layers[i] = &d
	}
	c.Output = copies[n.Output]
	return c
}

// Sort drops layers that the output does not need, brings the rest into a
// topological order that keeps the present order where it can, and numbers
// them. It returns how many were dropped. The input layer always stays.
func (n *Network) Sort() int {
	before := len(n.Layers)
	state := make(map[*Layer]bool, before)
	sorted := []*Layer{n.Input()}
	state[n.Input()] = true
	// An explicit stack: networks may be thousands of layers deep.
	type frame struct {
		layer *Layer
		next  int
	}
	stack := []frame{{n.Output, 0}}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if state[f.layer] {
			stack = stack[:len(stack)-1]
			continue
		}
		if f.next < len(f.layer.In) {
			p := f.layer.In[f.next]
			f.next++
			if !state[p] {
				stack = append(stack, frame{p, 0})
			}
			continue
		}
		state[f.layer] = true
		sorted = append(sorted, f.layer)
		stack = stack[:len(stack)-1]
	}
	for i, l := range sorted {
		l.Index = i
	}
	n.Layers = sorted
	return before - len(sorted)
}

// Infer computes every shape again and checks that the ops agree with their
// inputs: the check that a rewrite left a sound network.
func (n *Network) Infer() error {
	for _, l := range n.Layers[1:] {
		s, err := l.Op.Shape(l.InShapes())
		if err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
		l.Shape = s
	}
	return nil
}

// Trace gives, for each layer by its Index, the rectangle of its output that
// can change when the rectangle in of the image does. The slice is reused when
// it is long enough.
func (n *Network) Trace(in region.Rect, rects []region.Rect) []region.Rect {
	return n.trace(in, rects, (*Layer).Update)
}

// trace follows an update through the layers by a rule for each.
func (n *Network) trace(in region.Rect, rects []region.Rect, update func(*Layer, []region.Rect) region.Rect) []region.Rect {
	if cap(rects) < len(n.Layers) {
		rects = make([]region.Rect, len(n.Layers))
	}
	rects = rects[:len(n.Layers)]
	s := n.Input().Shape
	rects[0] = in.Clip(s.H, s.W)
	var buf [8]region.Rect
	for i, l := range n.Layers[1:] {
		ins := buf[:0]
		for _, p := range l.In {
			ins = append(ins, rects[p.Index])
		}
		rects[i+1] = update(l, ins)
	}
	return rects
}

// Work is the cost of a whole inference.
func (n *Network) Work() Work {
	var w Work
	for _, l := range n.Layers {
		w = w.Plus(l.Work(l.Shape.Whole()))
	}
	return w
}

// Params is the number of weights that the layer holds.
func (l *Layer) Params() int {
	sum := 0
	for _, a := range l.Op.Arrays() {
		sum += len(a)
	}
	return sum
}

// Params is the number of weights.
func (n *Network) Params() int {
	sum := 0
	for _, l := range n.Layers {
		sum += l.Params()
	}
	return sum
}

// Arrays are the weights of all layers, some of which may be the same ones.
func (n *Network) Arrays() [][]float32 {
	var all [][]float32
	for _, l := range n.Layers {
		all = append(all, l.Op.Arrays()...)
	}
	return all
}
