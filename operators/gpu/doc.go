// Package gpu runs networks on a GPU, in float32 and HWC order.
//
//	Shape     what a network takes of a device and has it do, known without one
//	Device    what all programs share: memory, and kernels ready to be launched
//	Program   the network with a kernel for each layer; weights packed once, on the device
//	worker    a stream and an arena; one batch at a time
//	layout    where a batch lies in the arena
//	queue     launches, and how far the host runs ahead of the device
//	resident  the views of an image, on the device
//
// Beneath the device is a driver.Driver. Kernels are CUDA C in package kernels; package cuda
// is a GPU, package soft a device in software, package emulator one that runs the kernels'
// source.
//
// # The idea
//
// Krypton (Nakandala, Kumar, Papakonstantinou, SIGMOD 2019) found that incremental inference
// starves a GPU when the read-in context of one position after the other is copied
// together. So nothing is copied here, and no launch is for one position. For each layer there
// is one launch over all cells of all update rectangles of a batch, hundreds of positions:
//
//	           columns: filters          a row of the left matrix is gathered by the kernel:
//	          ┌─────────────────┐
//	position 0│ cell            │          ┌───────────────┐
//	          │ cell            │          │ view  ┌─────┐ │   in the position's rectangle:
//	          ├─────────────────┤   ◀──    │    ┌──┼──┐  │ │   the update of the layer below
//	position 1│ cell            │          │    └──┼──┘  │ │   else: the view, which all share
//	          │ ...             │          │       └─────┘ │   outside of the map: zero
//	          └─────────────────┘          └───────────────┘
//
// A convolution is one matrix product: its rows are those cells, compact and one behind the
// other, its columns the filters, and its left side, the windows, exists only as tiles in
// shared memory. Bias, residual and activation are applied where sums are stored; the residual
// is gathered in the same way. Every other kernel reads through the same overlay.
//
// # A batch
//
// The host uploads one piece of memory, with tables and, unless they are cut from a cover image
// on the device, the patches; and downloads one, the scores. A table has an entry of 32 bytes for
// each position: the rectangle, and where its values are. Layers that change alike at all
// positions share one. In between nothing comes back: layer after layer is queued on the
// worker's stream.
//
//	host    tables ─▶                                     scores
//	          │      layer 1, layer 2, ... queued             ▲
//	device    └─▶ [cover] ─▶ layer 1 ─▶ layer 2 ─▶ ... ─▶ [whole outputs]
//
// Two workers double-buffer: while one's batch is prepared or downloaded, the other's is
// computed. What is copied is pinned (pinned.go), so that the device fetches it by itself.
//
// What a concat joins is computed where the concat has it, as some of the channels of its updates
// (inplace.go). So cells of a layer lie a pitch apart, and rectangles within larger ones. All that
// is left to copy is the ring of cells that the concat changes and one of its inputs does not,
// which comes from views. A chain of concats, as DenseNet has, lies in its last one. That needs
// numbers of channels that are multiples of 4; other inputs are copied. Views are not joined:
// the base pass copies.
//
// Values lie in an arena for as long as a later layer reads them. The layout is computed
// before anything is allocated, from the numbers of cells alone, so Shape.Bytes tells a
// planner exactly what a batch takes (TestMemory). Weights and ViewBytes are what all
// workers share. Traffic is what a batch comes to: launches, multiply-adds and bytes, by the
// same code that queues it (TestTraffic). Views are Resident: memory that nobody refers to any more
// is given back at the next allocation, see heap.
//
// # Ends and errors
//
// Between two launches the host looks at the context, and it runs ahead of the device by
// little: a launch is cut into positions that come to launchWork, of multiply-adds or of the bytes
// that they move, and marks in the stream hold the host back when more than two such are queued. Each batch ends with nothing queued,
// also after an error. What a GPU cannot do is said by New, or by Check without a device, as
// *Unsupported: today network.Function, which is code for the processor. It makes no estimates
// (operators.Compensation) either; Run says so.
//
// # Exactness
//
// No bit of a position's result depends on the batch, on the worker, or on how launches were
// cut: the order of a sum is one within a layer, whatever the tile
// (TestBatches). Incremental and full inference agree to the bit, but for the sums that are
// adjusted (TestUpdatesOfEveryLayer): means and sums of whole maps, and fully-connected layers
// over maps, which multiply only the difference to the view.
//
//	conv_ffma_128, _64, _odd  one multiply-add after the other
//	conv_f16x3_...            tensor cores; each product as three of fp16 parts
//	conv_depthwise            groups of one channel, a thread for four of them
//	conv_direct               other groups of few filters, a thread for each value
//
// Long sums are split at splitAt products, also for the accuracy of the sum, and the parts added
// in order.
//
// # Tensor cores
//
// Tensor cores multiply fp16 numbers exactly and add in float32. An fp16 number has 11 bits, two
// have 22 and a sign between them, so x = X + u with X = fp16(x), u = fp16(x - X) is x but for
// 2^-23 of it, and of the products x y = X Y + X v + u Y + u v the last is left out, which is below
// 2^-22 of it. Two things are in the way (Markidis and others, "NVIDIA Tensor Core Programmability,
// Performance & Precision", 2018, split alike; Ootomo and Yokota, "Recovering Single Precision
// Accuracy from Tensor Cores While Surpassing the FP32 Theoretical Peak Performance", 2022, on both):
//
//   - fp16 numbers end at 65504, and below 2^-14 they lose bits. So a filter's weights are
//     multiplied by a power of two that brings the largest of them to 2^14 and more, a layer's
//     input by one that brings the largest finite one of its clean view to 2^10 and more; both are undone,
//     exactly, where sums are stored. The largest value of a view is found (largest) before the
//     layer that reads it is queued, stays on the device, and outlives the view: so a scale
//     belongs to the image, and no bit depends on the batch. A position may hold values 32 times
//     as large as any of the clean image. Values below 2^-12 of the largest lose bits: a value is
//     off by 2^-23 of itself or 2^-35 of the largest (TestRanges).
//   - Tensor cores cut off what does not fit into a sum, always toward zero. So each sums up the
//     products of 16 values of K alone, and these sums are added by ordinary additions.
//
// A value that does not fit after all becomes infinite, what is left of it infinite with the
// opposite sign, and the sum no number. No layer hides that, so it reaches the outputs; positions with
// such outputs are computed once more by conv_ffma, and so is everything of an image whose own
// base pass came to it. An overflow thus costs time, never a wrong value, and infinite values give
// what float32 gives. It takes the weights in both forms (Shape.Weights). Views that come from host
// memory are measured when they come; a layer whose input has none is computed by conv_ffma.
//
// # Tiles
//
// A block of conv_ffma computes 128 cells by 128 or 64 filters with 256 threads, 8x8 or 8x4
// sums each, from 8 values of K at a time in two stages of shared memory: while one is
// multiplied, the next is on its way through registers, which transpose it. Of the 714 instructions
// of the loop of conv_ffma_128, by ptxas 11.8 for sm_90, 512 are multiply-adds; the rest is mostly the search for
// addresses, which conv_f16x3 does once for each tap and row.
//
// A block of conv_f16x3 has warps of 64x64 sums, 128 registers of a thread's 255, and takes 16 values
// of K at a time (a step). cp.async brings them straight to shared memory, up to three steps
// ahead, with zeros where a window leaves the map; one barrier for each step says that a stage is
// there and another one free. Rows stay float32 and are split by the warps that read them; weights
// were split once. What a step comes to (instructions of a warp are counted in what ptxas 11.8 makes
// for sm_90; bytes are those of a block):
//
//	tile, warps, stages  mma  other instructions:      shared memory  rows + weights,
//	                          additions splits others  in + out, KB   copied in, KB
//	128x128, 4, 4        96   128       160    110     16 + 32        8 + 8
//	256x128, 8, 3        96   128       160    100     24 + 64        16 + 8
//	256x64, 4, 4         96   128       160    130     20 + 32        16 + 4
//
// Two blocks of 4 warps share a multiprocessor, or one of 8: two warps for each of its four
// schedulers. A scheduler can start an mma of 16x8x16 every 4 cycles on sm_90, by what its maker says
// of fp16 in all, and in practice, by mma.sync, every 6 or 7. Two warps' step is 192 of them, 768
// cycles or about 1230; it starts 980 instructions, one in a cycle, and moves 88 to 104 KB through
// shared memory, 128 bytes in a cycle: 700 to 830 cycles. So tensor cores should be the limit, closely
// followed by the schedulers.
//
// From the second-level cache 10^14 multiply-adds a second would fetch 6.3 TB/s for tiles of 128x128,
// which may well be too much. But windows overlap: of a 3x3 window, a cell in nine is read for the first
// time. So a sum goes over 32 values of a tap, then over those of the next tap, and only after all
// taps over the next 32 (windowPiece): what a block reads of a map meanwhile is small enough for
// the first-level cache, through which rows are copied then. What is left are the weights, half of it.
//
// Dynamic shared memory beyond 48 KB is asked for when a kernel is loaded (driver.Module); 80 KB
// is the most, which every GPU from compute capability 8.0 on has.
//
// Channels and channels of a group that are multiples of 4 are read 16 bytes at a time; others,
// such as those of an image, take conv_ffma_odd. The row of a product says nothing of its
// position: row_of looks where it were if all positions had as many cells, which is right for
// most, and searches from there. Kernels that are no products take values cell by cell, four
// channels at once where their number allows it (each.h). Activations that are no bounds are one
// function of the module, which the epilogues call.
//
// # What was verified, and what was not
//
// Nothing of this package has run on a GPU yet: no speed is known, and no claim of one is made.
//
//   - The host's side runs on package soft against operators/cpu: random networks, patches at
//     every border, thresholded updates, batches of all sizes; with memory, ends of contexts,
//     and faults.
//   - Every kernel's twin is compared with the definitions in float64, and so is every kernel's own
//     source, compiled for the processor, with the PTX manual's layout of tensor-core fragments
//     (package gputest). Every access to memory is watched there, for races and for what lies beyond
//     allocations; asynchronous copies come early or late; and tensor cores round as the least
//     exact ones do (package emulator).
//   - Once, by hand, eleven networks of torchvision at full size, from SqueezeNet to VGG16, on the
//     emulator: at three positions within 3e-6 of the largest score of operators/cpu's by
//     conv_ffma, but for MobileNetV3-Large with random weights, whose gates saturate (5e-5).
//   - The calls to CUDA through gorgonia.org/cu run against a libcuda.so.1 that has the
//     emulator as its device (package cuda, with the build tag).
//   - The PTX is what clang 19 makes of the source, its kernels take the arguments that the host
//     passes, and ptxas of CUDA 11.8 assembles it for sm_80 and sm_90 with at most 64 bytes of
//     spilled registers (package kernels).
//
// Open: everything that only hardware shows. That the driver's own compiler takes the PTX; how the
// sums of tensor cores are really rounded; and every figure. operators/gpu/cuda/check is the program
// for that day.
//
// Where to look first, should it be slow: which tile of conv_f16x3 is best for what (check times
// all); wgmma, which sm_90 has and PTX for sm_80 cannot use.
package gpu
