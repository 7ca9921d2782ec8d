// Package operators defines how a network is run: what a device is given and
// what it gives back. The devices themselves are packages below it (operators/cpu).
//
// # The problem
//
// One heat map is thousands of inferences of nearly the same image. A device
// therefore works in two steps:
//
//	base pass   the clean image once: every layer's output is kept as its
//	            materialized view
//	updates     for each occlusion position, per layer, only the rectangle that
//	            changed is computed; what surrounds it is read from the view
//
//	           view of the layer below            this layer
//	         ┌──────────────────────┐        ┌──────────────────┐
//	         │      ┌─────────┐     │        │                  │
//	         │      │ read-in │     │  kernel│     ┌──────┐     │
//	         │      │┌──────┐ │     │ ─────▶ │     │ new  │     │
//	         │      ││update│ │     │        │     │update│     │
//	         │      │└──────┘ │     │        │     └──────┘     │
//	         │      └─────────┘     │        └──────────────────┘
//	         └──────────────────────┘
//
// Full inference is the same thing with rectangles as large as the maps, so one
// set of kernels serves both, and a layer at which the rectangle has grown to
// the whole map runs as full inference of a batch.
//
// # What crosses this border
//
// A Tile is a rectangle of a feature map in memory (HWC, float32, rows maybe
// apart). A Source is a layer's input as one position sees it: view below,
// update above. An Update asks for one position: the occluded pixels, and for
// each layer of the network the rectangle to compute, which the planner
// decided. The device never derives rectangles itself, so approximate plans can
// ask for smaller ones.
//
// An approximate plan may ask for estimates, too: what a class's log odds would be
// had nothing been left out, see Compensation.
//
// # Promises
//
//   - Results do not depend on the batch or on which worker runs a position.
//   - Everything stops within about a tenth of a second once the context ends.
//   - Nothing that can be seen of a Program changes after it was made; workers share
//     it, and leave it their memory for the next ones.
package operators
