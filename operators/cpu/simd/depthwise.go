package simd

import "unsafe"

// Depthwise computes rows of cells of a convolution whose filters read one
// channel each. With y over the rows, x over the cells, c over the channels and
// t over the taps, and distances in bytes:
//
//	sum := bias[c]
//	for t, at := range Taps {
//		sum += In[at + y*InRow + x*Step + 4*c] * weights[c][t]
//	}
//	sum += Add[y*AddRow + 4*(x*Channels+c)]
//	Out[y*OutRow + 4*(x*Channels+c)] = min(max(sum, Low), High)
type Depthwise struct {
	// In is where the first cell's window begins.
	In unsafe.Pointer
	// Step is the distance from a cell's window to the next one's, InRow that
	// from a row's windows to the next row's.
	Step, InRow int
	// Taps are the distances of the taps from a window's beginning, at least one.
	Taps []int
	// Weights and Bias are what PackDepthwise made.
	Weights, Bias *float32
	// Add is what is added to the sums, or nil.
	Add    unsafe.Pointer
	AddRow int
	// Out is where the results go.
	Out    unsafe.Pointer
	OutRow int
	// Rows, Cells (of a row) and Channels are at least one.
	Rows, Cells, Channels int
	// Low and High clamp the result; without, they are infinite.
	Low, High float32
}

// depthwise is the loop of Depthwise, and how many channels it takes at a time.
type depthwise struct {
	run   func(d *Depthwise)
	block int
}

// Depthwise computes d.
func (s *Set) Depthwise(d *Depthwise) { s.depthwise.run(d) }

// PackDepthwise orders weights and biases of all channels as the set's loop
// reads them: [blocks][taps][block] and [blocks][block], zeros behind the last
// channel. The weights given are [channels][taps]; without bias it is zero.
func (s *Set) PackDepthwise(weights, bias []float32, channels, taps int) (packed, packedBias []float32) {
	block := s.depthwise.block
	blocks := (channels + block - 1) / block
	packed, packedBias = Aligned(blocks*taps*block), Aligned(blocks*block)
	copy(packedBias, bias)
	for c := range channels {
		to := packed[c/block*taps*block+c%block:]
		for t, w := range weights[c*taps : (c+1)*taps] {
			to[t*block] = w
		}
	}
	return packed, packedBias
}

// genericBlock is the number of sums that the compiler keeps in registers.
const genericBlock = 8

// depthwiseGeneric is Depthwise in Go.
func depthwiseGeneric(d *Depthwise) {
	for y := range d.Rows {
		for x := range d.Cells {
			at := x * d.Channels * 4
			out := cellAt((*float32)(d.Out), y*d.OutRow+at, d.Channels)
			d.sums(out, y*d.InRow+x*d.Step)
			if d.Add != nil {
				for c, v := range cellAt((*float32)(d.Add), y*d.AddRow+at, d.Channels) {
					out[c] += v
				}
			}
			for c, sum := range out {
				out[c] = min(max(sum, d.Low), d.High)
			}
		}
	}
}

// sums puts the sums of the window that is so many bytes behind the first one
// into out.
func (d *Depthwise) sums(out []float32, window int) {
	blocks := (d.Channels + genericBlock - 1) / genericBlock
	w := unsafe.Slice(d.Weights, blocks*len(d.Taps)*genericBlock)
	bias := unsafe.Slice(d.Bias, blocks*genericBlock)
	for c := 0; c < d.Channels; c += genericBlock {
		n := min(genericBlock, d.Channels-c)
		sums := *(*[genericBlock]float32)(bias[c:])
		if n == genericBlock {
			d.sumBlock(&sums, window+c*4, w)
		} else {
			for t, at := range d.Taps {
				for i, v := range cellAt((*float32)(d.In), at+window+c*4, n) {
					sums[i] += v * w[t*genericBlock+i]
				}
			}
		}
		copy(out[c:], sums[:n])
		w = w[len(d.Taps)*genericBlock:]
	}
}

// sumBlock adds to the sums of a block of channels the products of the window at
// the given place.
func (d *Depthwise) sumBlock(sums *[genericBlock]float32, window int, w []float32) {
	s0, s1, s2, s3, s4, s5, s6, s7 := sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]
	for _, at := range d.Taps {
		x := (*[genericBlock]float32)(unsafe.Add(d.In, at+window))
		v := (*[genericBlock]float32)(w)
		s0 += x[0] * v[0]
		s1 += x[1] * v[1]
		s2 += x[2] * v[2]
		s3 += x[3] * v[3]
		s4 += x[4] * v[4]
		s5 += x[5] * v[5]
		s6 += x[6] * v[6]
		s7 += x[7] * v[7]
		w = w[genericBlock:]
	}
	*sums = [genericBlock]float32{s0, s1, s2, s3, s4, s5, s6, s7}
}
