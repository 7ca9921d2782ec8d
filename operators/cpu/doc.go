// Package cpu runs networks on the processor, in float32 and HWC order.
//
//	Program  the network with a kernel for each layer; weights packed once
//	worker   one goroutine's memory: an arena, scratch, counters
//	kernel   computes one layer for a group of positions
//
// # How a batch runs
//
// A worker takes a batch of positions and walks the layers in order. For each
// layer it collects the positions at which the layer changes, takes memory for
// their update patches from its arena, and hands all of them to the kernel as
// one group of tasks, so that the kernel can stream its weights once per group.
// A patch's memory goes back to the arena after the last layer that reads it.
//
//	for each layer ─▶ tasks{in: []Source, out: Tile} ─▶ kernel.forward ─▶ free what is done
//
// A kernel sees rectangles, never positions or plans. It must compute exactly
// the cells of task.out from Sources that hold the layer's read-in context, and
// each cell's value must not depend on the rectangle it is computed in, on the
// other tasks, or on the worker: that is what makes results equal for any batch
// and any number of threads. (Sums over whole maps, which incremental plans
// update instead of repeating, are the one place where the plan shows, in the
// last bits.)
//
// # The kernels
//
// They are plain Go, written for the compiler's strengths: contiguous channels
// in the inner loop, bounds checks hoisted, a register tile for convolutions.
// They are the twins that faster kernels are tested against, and what runs on
// processors without such.
//
//	local     conv, depthwise, pools, element-wise, concat, slice, pad: any
//	          rectangle of the output
//	global    pools of the whole map, instance norm, fully connected, reshapes:
//	          always the whole output
//
// A convolution reads its input where it lies when the update or the view holds
// all of it; otherwise it copies the read-in context into a padded buffer
// first, so that the inner loops know nothing of borders and overlays. The
// others take rows, which a Source puts together where they cross an update's
// border. Every write goes through the out tile's rows, which may be part of a
// larger buffer.
//
// Rates on one core of a 2024 server: 11 GFLOP/s for convolutions of 64
// channels and more, 8 for fully-connected layers over a group, 4 for
// depthwise convolutions.
package cpu
