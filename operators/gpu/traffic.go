package gpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
	"occlude/operators/region"
)

// Traffic is what a batch has a device do.
type Traffic struct {
	// Launches are in the order in which they are queued, Kernels the same by name of
	// kernel.
	Launches []Launch
	Kernels  map[string]Load
	// Tables, Patches and Scores are the bytes that are copied between host and device: the
	// first two up, the last down. There are no patches where they are cut from a cover.
	Tables, Patches, Scores int64
}

// Launch is one of a kernel.
type Launch struct {
	Layer  int // Index; the output's for what follows all layers
	Kernel string
	// Blocks are those of the grid, Together how many a processor of the device computes at
	// the same time.
	Blocks, Together int64
	Load
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
	return p.traffic(p.uniform(rects, positions), rects[0] != p.net.Input().Shape.Whole(), false)
}

// BaseTraffic is what a base pass comes to, beside bringing the image to its view. What it
// finds of the views for tensor cores is counted with their layers.
func (p *Shape) BaseTraffic() (Traffic, error) {
	return p.traffic(p.uniform(p.wholes(), 1), false, true)
}

// TrafficOf is what a batch comes to, with views of all layers or of none but the image. Only
// whether patches have data matters of it: without they are cut from a cover.
func (p *Shape) TrafficOf(batch []operators.Update, views bool) (Traffic, error) {
	return p.traffic(p.sizeOf(stretches(batch)), views, false)
}

// traffic is that of a batch of a size, or of a base pass.
func (p *Shape) traffic(size size, views, base bool) (Traffic, error) {
	l, err := p.lay(size, base)
	if err != nil {
		return Traffic{}, err
	}
	c := counter{views: views, base: base, layout: l}
	if c.kernels = map[string]Load{}; !size.patches && size.cells[0] > 0 {
		patches := 4 * size.cells[0] * int64(p.net.Input().Shape.C)
		c.count(0, "place", grid(size.most[0], p.net.Input().Shape.C, size.positions), Load{Launches: 1, Read: patches, Written: patches})
	}
	whole := true // the output, everywhere
	for i, layer := range p.net.Layers {
		if i > 0 && l.layers[i].cells > 0 {
			err := p.steps(layer, size.batch, l.layers[i].cells, func(s *step, lo, hi int) error {
				c.fill(p, s, lo, hi)
				return p.kernels[i].run(s)
			})
			if err != nil {
				return Traffic{}, err
			}
		}
		if base && p.scaled[i] {
			largest, values := &kernels.Largest{}, int64(layer.Shape.Len())
			c.count(i, largest.Kernel(), [3]int{blocks(values), 1, 1}, Load{Launches: 1, Read: 4 * values, Written: 4})
		}
	}
	out := p.net.Output
	for _, u := range size.batch {
		whole = whole && u.Rects[out.Index] == out.Shape.Whole()
	}
	t := Traffic{Tables: l.uploaded - l.patches, Patches: l.patches, Scores: 4 * int64(size.positions) * int64(out.Shape.Len())}
	if !whole {
		c.count(out.Index, "place", grid(out.Shape.Cells(), out.Shape.C, size.positions), Load{Launches: 1, Read: t.Scores, Written: t.Scores})
	}
	t.Launches, t.Kernels = c.launches, c.kernels
	return t, nil
}

// counter is a launcher that adds up.
type counter struct {
	launches []Launch
	kernels  map[string]Load
	views    bool // are there
	base     bool // they are made
	layout   *layout
	step     *step
	now      []stretch // that the step is for
}

// count notes a launch.
func (c *counter) count(layer int, kernel string, grid [3]int, load Load) {
	c.launches = append(c.launches, Launch{
		Layer: layer, Kernel: kernel, Blocks: int64(grid[0]) * int64(grid[1]) * int64(grid[2]), Together: int64(kernels.TileOf(kernel).Together), Load: load,
	})
	c.kernels[kernel] = c.kernels[kernel].Plus(load)
}

// nowhere is an address that only tells that something is there.
const nowhere = 256

// tableOf is an address that stands for a layer's table, layerOf the layer.
func tableOf(layer int) driver.Pointer { return nowhere * driver.Pointer(layer+2) }
func layerOf(table driver.Pointer) int { return int(table/nowhere) - 2 }

// fill gives a step addresses.
func (c *counter) fill(p *Shape, s *step, lo, hi int) {
	c.step, c.now, s.launcher = s, c.layout.size.batch, c
	if hi-lo < c.layout.size.positions {
		c.now = between(c.now, lo, hi)
	}
	s.size = &c.layout.size
	s.out = kernels.Out{Data: nowhere, Table: tableOf(s.layer.Index), Positions: kernels.Int(hi - lo), Pitch: kernels.Int(s.layer.Shape.C)}
	s.source = func(in *network.Layer) kernels.Source {
		source := kernels.Source{Data: nowhere, Table: tableOf(in.Index), W: kernels.Int(in.Shape.W), C: kernels.Int(in.Shape.C), Pitch: kernels.Int(in.Shape.C)}
		if c.views || in.Index == 0 || p.constant(in.Index) {
			source.View = nowhere
		}
		return source
	}
	for _, in := range s.layer.In {
		s.in = append(s.in, s.source(in))
	}
	s.made = s.in[0].Table
	s.unchanged, s.scratch, s.largest = nowhere, nowhere, nowhere
	if c.views {
		s.base = nowhere
	}
	if k, ok := p.kernels[s.layer.Index].(*dense); ok && k.linear() && (c.views || c.base) {
		s.sums = nowhere
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
		weights := a.Columns * a.KernelY * a.KernelX * a.Depth
		if a.Name != depthwise {
			weights *= a.Channels / a.Filters
		}
		c.product(&load, a, weights, grid)
	case *kernels.TensorConv:
		c.product(&load, &a.Conv, a.Columns*a.KernelY*a.KernelX*kernels.Int(kernels.Deep(int(a.Depth)))*(a.Channels/a.Filters), grid)
	case *kernels.Reduce:
		load.Read = load.Written * int64(a.Parts)
	case *kernels.Place:
		cells := s.rows
		if a.Missing != 0 {
			cells -= c.cells(layerOf(a.In.Table))
		}
		load.Written = 4 * cells * int64(a.N)
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
	c.count(s.layer.Index, a.Kernel(), grid, load)
	return nil
}

// product adds what a convolution comes to that has so many weights.
func (c *counter) product(load *Load, a *kernels.Conv, weights kernels.Int, grid [3]int) {
	depth, filters := int64(a.KernelY*a.KernelX*a.Depth), int64(a.Channels)
	load.MACs = c.step.rows * depth * filters
	load.Tiles = load.MACs
	if tile := kernels.TileOf(a.Name); tile.Rows > 0 {
		cells := int64(tile.Rows * tile.Columns)
		load.Tiles = int64(grid[0]) * int64(grid[1]) * cells * depth * int64(a.Channels/a.Filters)
	}
	if a.Split > 0 {
		load.Written *= int64(grid[2])
	}
	if a.In.View == 0 {
		load.Read += min(4*c.step.inputs*int64(c.step.layer.In[0].Shape.C), c.reads(0)) - c.reads(0)
	}
	load.Read += 4 * int64(weights)
}

// reads is the bytes that a step reads of an input, of updates and of the view.
func (c *counter) reads(input int) int64 {
	l, cells := c.step.layer, 0
	for _, u := range c.now {
		if r := u.Rects[l.Index]; !r.Empty() {
			cells += u.positions * l.Reads(input, r).Area()
		}
	}
	return 4 * int64(cells) * int64(l.In[input].Shape.C)
}

// cells is how many a layer changes at the step's positions.
func (c *counter) cells(layer int) (n int64) {
	for _, u := range c.now {
		n += int64(u.positions) * int64(rectOf(u.Update, layer).Area())
	}
	return n
}
