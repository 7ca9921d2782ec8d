package operators

// Compensation is what a device needs of the clean image to estimate, at a
// position of which much was left out, what objectives such as a class's log
// odds would be had all of it been computed. Package compensation derives it, and
// makes it from a backward pass. All maps are in stored order, (H, W, C).
type Compensation struct {
	// Values are the objectives on the clean image. Lists of gradients have one
	// for each, in the same order.
	Values []float64
	// Image is the clean image, and Gradients are those with respect to it.
	Image     []float32
	Gradients [][]float32
	// Layers is by Index, nil for layers that are linear in what changes.
	Layers []*Departure
}

// Arrays are all maps that it is made of. Some may be those of views.
func (c *Compensation) Arrays() [][]float32 {
	if c == nil {
		return nil
	}
	all := append([][]float32{c.Image}, c.Gradients...)
	for _, d := range c.Layers {
		if d == nil {
			continue
		}
		all = append(all, d.Clamp...)
		if t := d.Tangent; t != nil {
			all = append(append(all, t.Gradients...), t.Slopes, t.Offsets)
		}
		if s := d.Shown; s != nil {
			all = append(all, s.Gradients...)
		}
		if p := d.Product; p != nil {
			all = append(append(all, p.Gradients...), p.Clean[:]...)
		}
		if b := d.Balance; b != nil {
			all = append(append(append(all, b.Out...), b.Clean), b.Inputs...)
			for _, e := range b.Edges {
				all = append(all, e...)
			}
		}
	}
	return all
}

// Departure tells how a layer departs from its linear approximation at the clean
// image. What is nil does not concern it.
type Departure struct {
	// Clamp is for an activation min(high, max(low, x)): the gradients at the
	// layer's output, marked with where the clean value lies, see simd.Mark.
	Clamp [][]float32
	// Tangent is for other activations, Shown for max pools, Product for products
	// of two maps, Balance for whatever else is not linear.
	Tangent *Tangent
	Shown   *Shown
	Product *Product
	Balance *Balance
	// End is for the layer at which the objectives are taken.
	End *End
}

// Tangent is an activation's at each clean value a: act(x) is nearly
// Slopes*x + Offsets for x near a.
type Tangent struct {
	Gradients       [][]float32 // at the layer's output
	Slopes, Offsets []float32
}

// Shown tells which input each output of a max pool shows.
type Shown struct {
	Gradients [][]float32 // at the layer's output
	// Taps is the number of that input among the window's cells that lie in the
	// map, counted row by row.
	Taps []uint8
}

// Product is two maps that are multiplied, of which both depend on the image.
type Product struct {
	Gradients [][]float32  // at the product, before an activation
	Clean     [2][]float32 // the maps, each of its own shape
}

// Balance compares what a layer makes of changes with what their gradients say.
type Balance struct {
	Out   [][]float32 // the gradients at the layer's output
	Clean []float32   // its clean values
	// Edges are the shares of the gradients along the layer's edges, and Inputs
	// the clean values, both by input; nil for inputs that never change.
	Edges  [][][]float32
	Inputs [][]float32
}

// End is where a network's last values z become objectives, which is at the end
// of a vector: behind its layer, or before the layer's activation.
type End struct {
	Before bool
	// Depart adds to each estimate by how much its objective departs from the
	// linear one at z. It may write to scratch, which is as long as z.
	Depart func(z, scratch []float32, estimates []float64)
}
