// Package cpu runs networks on the processor, in float32 and HWC order.
//
//	Program  the network with a kernel for each layer; weights packed once
//	worker   one goroutine's memory: an arena, scratch, counters
//	kernel   computes one layer for a group of positions
//	simd.Set the inner loops that kernels are made of, for this processor
//
// # How a batch runs
//
// A worker takes a batch of positions through the layers in stages. A stage is
// consecutive layers that are run for a group of positions before the next
// group is begun: small groups where a network is narrow, so that what one
// layer writes is still in the cache when the next reads it; large ones where
// weights are heavy, so that they stream from memory once for many positions.
//
//	batch ─▶ stage 1: groups of 4  ─▶ stage 2: groups of 16 ─▶ stage 3: all at once
//	            │
//	            └ for each layer ─▶ tasks{in: []Source, out: Tile} ─▶ kernel.forward
//
// Where a layer writes its update, room is left for the cells around it that
// its readers need: the ring is copied from the view, and zeros stand outside
// of the map. A convolution thus finds its whole read-in context in one piece
// of memory, and no copy is made for it. That memory goes back to the arena
// after the last layer that reads it; once warm, a worker allocates nothing for
// a position.
//
//	┌───────────────┐
//	│ view, zeros   │   around
//	│  ┌─────────┐  │
//	│  │ update  │  │   tile: written by the layer's kernel
//	│  └─────────┘  │
//	└───────────────┘
//
// # What a kernel promises
//
// A kernel sees rectangles, never positions or plans. It computes exactly the
// cells of task.out from Sources that hold the layer's read-in context. What it
// computes for a task does not depend on the other tasks of the group, nor on
// the worker: that is what makes results equal for any batch and any number of
// threads. For most layers a cell's value does not depend on its rectangle
// either, so that incremental and full inference agree to the bit. Three
// exceptions show the plan in the last bits: Winograd tiles, which are laid from
// the rectangle's corner; means and sums of whole maps; and fully-connected
// layers over maps. The last two add what changed to the clean image's result
// instead of repeating it.
//
// # Estimates
//
// An update may ask for estimates of objectives besides the output, from the
// views' Compensation. Tasks then carry their layer's departure from what is
// linear, and the estimates to add its terms to. An activation that has one is
// taken out of the loop that computes the layer (epilogue.bounds) and put behind
// it, where the loop that applies it adds up the term (epilogue.finish). A
// position's terms are added layer by layer and row by row, from the top of a
// task to its bottom and never by what shares a chunk with it, so that they too
// are equal for any batch.
//
// # The kernels
//
//	conv       direct: a matrix product whose rows are the addresses of the
//	           pixels' windows, so no matrix of windows is ever built
//	winograd   convolutions of stride 1 with fewer multiplications, by tiles
//	depthwise  one filter a channel, vectorized over channels
//	dense      a matrix product with rows of weights as stored and a panel of
//	           positions; only the inputs that changed where the sums are known
//	local      pools, element-wise layers, concat, slice, pad: any rectangle
//	global     pools of the whole map, instance norm, reshapes: the whole output
//
// Which algorithm computes a convolution is the planner's choice, given with the
// program's Options; direct is always possible. The loops exist for AVX-512,
// for AVX2 and in plain Go; see package simd.
package cpu
