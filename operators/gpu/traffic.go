package gpu

import (
	"occlude/operators"
	"occlude/operators/gpu/kernels"
	"occlude/operators/region"
)

// Traffic is what a batch has a device do.
type Traffic struct {
	// Kernels are the launches, by name of kernel.
	Kernels map[string]Load
	// Tables, Patches and Scores are the bytes that are copied between host and device: the
	// first two up, the last down. There are no patches where they are cut from a cover.
	Tables, Patches, Scores int64
}

// Load is what launches of a kernel come to.
type Load struct {
	Launches int
	// MACs are multiply-adds; Tiles are those that whole tiles come to, with the rows and
	// columns that nobody asked for.
	MACs, Tiles int64
	// Read and Written are bytes of the device's memory, each value counted once in each
	// launch, as if caches kept what is needed again: a lower bound.
	Read, Written int64
}

// Plus adds two loads.
func (l Load) Plus(o Load) Load {
	return Load{l.Launches + o.Launches, l.MACs + o.MACs, l.Tiles + o.Tiles, l.Read + o.Read, l.Written + o.Written}
}

// Total is the load of all kernels.
func (t Traffic) Total() (sum Load) {
	for _, l := range t.Kernels {
		sum = sum.Plus(l)
	}
	return sum
}

// Traffic is what a batch of positions comes to that compute the rectangles, with patches
// from the host. Where all layers are computed whole there are no views.
func (p *Shape) Traffic(rects []region.Rect, positions int) (Traffic, error) {
	l, err := p.lay(uniform(rects, positions), false)
	if err != nil {
		return Traffic{}, err
	}
	batch := make([]operators.Update, positions)
	for i := range batch {
		batch[i] = operators.Update{Patch: operators.Tile{Rect: rects[0]}, Rects: rects}
	}
	out := p.net.Output
	c := counter{
		loads: map[string]Load{}, rects: rects,
		views: rects[0] != p.net.Input().Shape.Whole(),
	}
	for i, layer := range p.net.Layers {
		if i == 0 || l.layers[i].cells == 0 {
			continue
		}
		err := p.steps(layer, batch, l.layers[i].cells, func(s *step, lo, hi int) error {
			c.fill(p, s, hi-lo)
			return p.kernels[i].run(s)
		})
		if err != nil {
			return Traffic{}, err
		}
	}
	t := Traffic{
		Kernels: c.loads, Tables: l.patches, Patches: l.uploaded - l.patches,
		Scores: 4 * int64(positions) * int64(out.Shape.Len()),
	}
	if rects[out.Index] != out.Shape.Whole() {
		t.Kernels["place"] = t.Kernels["place"].Plus(Load{Launches: 1, Read: t.Scores, Written: t.Scores})
	}
	return t, nil
}

// counter is a launcher that adds up.
type counter struct {
	loads map[string]Load
	rects []region.Rect
	views bool // are there
	step  *step
}

// Addresses that are nobody's: they only tell what is there and what is not.
const (
	nowhere = 256 * (iota + 1)
	elsewhere
)

// fill gives a step addresses.
func (c *counter) fill(p *Shape, s *step, positions int) {
	c.step, s.launcher = s, c
	s.out = kernels.Out{Data: nowhere, Table: nowhere, Positions: kernels.Int(positions)}
	for j, in := range s.layer.In {
		source := kernels.Source{Data: nowhere, Table: nowhere, W: kernels.Int(in.Shape.W), C: kernels.Int(in.Shape.C)}
		if c.views || p.constant(in.Index) {
			source.View = nowhere
		}
		if j == 0 {
			s.made = elsewhere
		}
		s.in = append(s.in, source)
	}
	s.unchanged, s.scratch = nowhere, nowhere
	if k, ok := p.kernels[s.layer.Index].(*dense); c.views {
		s.base = nowhere
		if ok && k.linear() {
			s.sums = nowhere
		}
	}
}

// launch implements launcher.
func (c *counter) launch(a kernels.Args, grid [3]int) error {
	s := c.step
	load := Load{Launches: 1, Written: 4 * s.rows * int64(s.layer.Shape.C)}
	for j := range s.in {
		load.Read += c.reads(j)
	}
	inputs := 4 * s.inputs * int64(s.layer.In[0].Shape.C) // the update of the first one
	switch a := a.(type) {
	case *kernels.Conv:
		depth, filters := int64(a.KernelY*a.KernelX*a.Depth), int64(a.Channels)
		load.MACs = s.rows * depth * filters
		load.Tiles = load.MACs
		if a.Name != "conv_direct" {
			tile := int64(kernels.TileRows * kernels.Columns(a.Name))
			load.Tiles = int64(grid[0]) * int64(grid[1]) * tile * depth * int64(a.Channels/a.Filters)
		}
		if a.Split > 0 {
			load.Written *= int64(grid[2])
		}
		if a.In.View == 0 {
			load.Read += min(inputs, c.reads(0)) - c.reads(0)
		}
		load.Read += 4 * depth * int64(a.Columns) * int64(a.Channels/a.Filters)
	case *kernels.Reduce:
		load.Read = load.Written * int64(a.Parts)
	case *kernels.Activate:
		load.Read = load.Written
	case *kernels.Place:
		load.Written = 4 * s.rows * int64(a.N)
		load.Read = load.Written
	case *kernels.Binary:
		if a.Table == s.made { // the difference of an input to its view
			load.Read, load.Written = 2*inputs, inputs
		}
	case *kernels.GlobalPool:
		if a.Base != 0 {
			load.Read = 2 * inputs
		}
	}
	name := a.Kernel()
	c.loads[name] = c.loads[name].Plus(load)
	return nil
}

// reads is the bytes that a step reads of an input, of updates and of the view.
func (c *counter) reads(input int) int64 {
	in := c.step.layer.In[input]
	cells := c.step.layer.Reads(input, c.rects[c.step.layer.Index]).Area()
	return 4 * int64(c.step.out.Positions) * int64(cells) * int64(in.Shape.C)
}
