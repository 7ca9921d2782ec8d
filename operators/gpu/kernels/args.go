package kernels

import (
	"math"
	"reflect"
	"unsafe"

	"occlude/operators/gpu/driver"
)

// Int is an int of a kernel and Float a float. Every argument takes 8 bytes.
type (
	Int   int64
	Float uint64
)

// F is a float argument.
func F(v float32) Float { return Float(math.Float32bits(v)) }

// Value is the number.
func (f Float) Value() float32 { return math.Float32frombits(uint32(f)) }

// Entry is a row of a table: what a layer became at one position of a batch. The cell
// in row y and column x of the map is number Base + y*Width + x of those in the layer's
// memory, which may hold more than the rectangle. Tables have a row for each position, in
// order.
type Entry struct {
	Y0, X0, Y1, X1 int32 // the rectangle: rows from Y0 up to Y1, columns from X0 up to X1
	Width, Base    int32
	Row            int32 // the cells of the rectangles of all positions before
	_              int32
}

// EntryBytes is the size of an Entry.
const EntryBytes = int64(unsafe.Sizeof(Entry{}))

// Empty tells whether nothing changed.
func (e Entry) Empty() bool { return e.Y1 <= e.Y0 || e.X1 <= e.X0 }

// Has tells whether a cell lies in the rectangle.
func (e Entry) Has(y, x int) bool {
	return y >= int(e.Y0) && y < int(e.Y1) && x >= int(e.X0) && x < int(e.X1)
}

// Cells is the number of cells in the rectangle.
func (e Entry) Cells() int {
	if e.Empty() {
		return 0
	}
	return int(e.Y1-e.Y0) * int(e.X1-e.X0)
}

// Cell is the number of a cell in the layer's memory.
func (e Entry) Cell(y, x int) int { return int(e.Base) + y*int(e.Width) + x }

// Out is where a kernel writes: the updates of a layer, whose rectangles the table
// tells, at so many positions. Cells lie Pitch values apart.
type Out struct {
	Data, Table      driver.Pointer
	Positions, Pitch Int
}

// Source is what a kernel reads: the updates of a layer laid over its view, a map of
// W columns and C channels. A cell inside the position's rectangle comes from Data, where
// cells lie Pitch values apart, any other from View; where there is no view it is zero.
type Source struct {
	View, Data, Table driver.Pointer
	W, C, Pitch       Int
}

// Window is a sliding window over a map of H rows.
type Window struct {
	H                    Int
	KernelY, KernelX     Int
	StrideY, StrideX     Int
	PadY, PadX           Int
	DilationY, DilationX Int
}

// Ending is what happens to a value before it is stored: number Fn of Functions, or, where
// that is 0, bounds: min(High, max(Low, v)). NaN stays NaN.
type Ending struct {
	Low, High   Float
	Fn          Int
	Alpha, Beta Float
}

// Args are the arguments of a kernel, in the order in which it takes them.
type Args interface {
	// Kernel is the kernel's name.
	Kernel() string
}

// Conv are the arguments of the conv_ kernels.
type Conv struct {
	Out
	Rows Int // cells of all positions
	In   Source
	Window
	Weights, Bias driver.Pointer
	Residual      Source // Table is zero where there is none
	// Depth is the input channels of a group, Filters the outputs of a group,
	// Columns those with what fills up a row of packed weights, Channels the
	// outputs of all groups.
	Depth, Filters, Columns, Channels Int
	// Split is how many products a block sums up, a multiple of 16, where Data receives
	// partial sums, a piece for each block along z; 0 sums up all.
	Split Int
	Ending
	Name string // of the kernel; no argument
}

// Kernel implements Args.
func (c *Conv) Kernel() string { return c.Name }

// TensorConv are the arguments of the conv_f16x3 kernels. Weights are packed as SplitAt says,
// with Columns a multiple of SplitColumns; Split counts values of K as packed.
type TensorConv struct {
	Conv
	// Largest is the bits of the largest finite |value| of the input's clean view; Unscale, for
	// each of Columns of each group, the inverse of what its weights were multiplied by.
	Largest, Unscale driver.Pointer
	// Piece is how many values of a tap are summed up before those of the next one, a multiple
	// of SplitStep; where there is a Split, all of them.
	Piece Int
}

// Largest are the arguments of largest.
type Largest struct {
	From   driver.Pointer
	Values Int
	To     driver.Pointer
}

// Kernel implements Args.
func (*Largest) Kernel() string { return "largest" }

// Reduce are the arguments of reduce.
type Reduce struct {
	Out
	Rows            Int // cells of all positions
	Partials, Bias  driver.Pointer
	Channels, Parts Int
	Ending
}

// Kernel implements Args.
func (*Reduce) Kernel() string { return "reduce" }

// Pool are the arguments of pool.
type Pool struct {
	Out
	In Source
	Window
	Max, CountPad  Int
	AfterY, AfterX Int
}

// Kernel implements Args.
func (*Pool) Kernel() string { return "pool" }

// Binary are the arguments of binary.
type Binary struct {
	Out
	C  Int
	A  Source
	AH Int
	B  Source
	BH Int
	Op Int // of Arithmetic
	Ending
}

// Kernel implements Args.
func (*Binary) Kernel() string { return "binary" }

// Affine are the arguments of affine.
type Affine struct {
	Out
	In           Source
	Scale, Shift driver.Pointer
	Negative     Int // scale only negative values
	Ending
}

// Kernel implements Args.
func (*Affine) Kernel() string { return "affine" }

// LRN are the arguments of lrn.
type LRN struct {
	Out
	In                Source
	Size              Int
	Alpha, Beta, Bias Float
}

// Kernel implements Args.
func (*LRN) Kernel() string { return "lrn" }

// Softmax are the arguments of softmax.
type Softmax struct {
	Out
	In  Source
	Log Int
}

// Kernel implements Args.
func (*Softmax) Kernel() string { return "softmax" }

// ChannelReduce are the arguments of channel_reduce.
type ChannelReduce struct {
	Out
	In Source
	Fn Int
}

// Kernel implements Args.
func (*ChannelReduce) Kernel() string { return "channel_reduce" }

// Place are the arguments of place.
type Place struct {
	Out
	In      Source
	N       Int            // channels that are written
	Index   driver.Pointer // N ints, the channels that are read, or zero
	Missing Int            // write only what has not changed
	Ending
}

// Kernel implements Args.
func (*Place) Kernel() string { return "place" }

// Slice are the arguments of slice.
type Slice struct {
	Out
	In                           Source
	StartY, StepY, StartX, StepX Int
}

// Kernel implements Args.
func (*Slice) Kernel() string { return "slice" }

// Pad are the arguments of pad.
type Pad struct {
	Out
	In        Source
	H         Int
	Top, Left Int
	Mode      Int
	Value     Float
}

// Kernel implements Args.
func (*Pad) Kernel() string { return "pad" }

// Rearrange are the arguments of rearrange.
type Rearrange struct {
	Out
	H, W, C Int // of the output
	In      Source
	InH     Int
	Mode    Int
}

// Kernel implements Args.
func (*Rearrange) Kernel() string { return "rearrange" }

// GlobalPool are the arguments of global_pool.
type GlobalPool struct {
	Out
	In   Source
	H    Int
	Fn   Int
	Base driver.Pointer
}

// Kernel implements Args.
func (*GlobalPool) Kernel() string { return "global_pool" }

// InstanceNorm are the arguments of instance_norm.
type InstanceNorm struct {
	Out
	In           Source
	H            Int
	Scale, Shift driver.Pointer
	Epsilon      Float
}

// Kernel implements Args.
func (*InstanceNorm) Kernel() string { return "instance_norm" }

// All has the arguments of every kernel, with nothing in them.
func All() []Args {
	return []Args{
		&Conv{Name: "conv_ffma_128"}, &Conv{Name: "conv_ffma_64"}, &Conv{Name: "conv_ffma_odd"}, &Conv{Name: "conv_direct"},
		&Conv{Name: "conv_depthwise"}, tensorConv("conv_f16x3_128x128"), tensorConv("conv_f16x3_256x128"), tensorConv("conv_f16x3_256x64"),
		&Largest{}, &Reduce{}, &Pool{}, &Binary{}, &Affine{}, &LRN{}, &Softmax{}, &ChannelReduce{},
		&Place{}, &Slice{}, &Pad{}, &Rearrange{}, &GlobalPool{}, &InstanceNorm{},
	}
}

func tensorConv(name string) *TensorConv { return &TensorConv{Conv: Conv{Name: name}} }

// Words are the arguments as a kernel takes them: every number of the struct, in order.
func Words(a Args) []uint64 {
	var words []uint64
	each(reflect.ValueOf(a).Elem(), func(v reflect.Value) {
		if v.CanInt() {
			words = append(words, uint64(v.Int()))
		} else {
			words = append(words, v.Uint())
		}
	})
	return words
}

// Read is Words backwards. It tells whether there were as many as a has.
func Read(a Args, words []uint64) bool {
	n := 0
	each(reflect.ValueOf(a).Elem(), func(v reflect.Value) {
		if n < len(words) {
			if v.CanInt() {
				v.SetInt(int64(words[n]))
			} else {
				v.SetUint(words[n])
			}
		}
		n++
	})
	return n == len(words)
}

// each shows the numbers of a struct and of the structs in it.
func each(v reflect.Value, do func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), do)
		}
	case reflect.Int64, reflect.Uint64:
		do(v)
	}
}
