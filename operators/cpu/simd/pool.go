package simd

import "unsafe"

// Pool folds the windows of several output cells, one behind the other, which
// all have the same taps. With x over the cells and c over the channels:
//
//	Out[x*Channels+c] = fold over t of Taps[t][x*Step+c]
//
// always in the order of the taps.
type Pool struct {
	// Taps is where the first cell's window has its values: at least one tap.
	Taps []unsafe.Pointer
	// Step is the distance in bytes from a cell's window to the next one's.
	Step int
	// Out is where the results go.
	Out unsafe.Pointer
	// Cells and Channels are at least one.
	Cells, Channels int
}

// pools is the loops of pools.
type pools struct {
	maximum, mean poolLoop
	// sum and difference are those of Sum and SumDifference, for channels that
	// fill registers of sumLanes float64 values; stride is a cell's bytes.
	sum        func(sums *float64, now *float32, channels, stride, cells int)
	difference func(sums *float64, now, then *float32, channels, stride, cells int)
	sumLanes   int
}

type poolLoop func(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32)

// Maximum computes p with the largest value, NaN if there is one.
func (s *Set) Maximum(p Pool) {
	s.maximum((*float32)(p.Out), &p.Taps[0], len(p.Taps), p.Step, p.Cells, p.Channels, 1)
}

// Mean computes p with the sum, multiplied by scale.
func (s *Set) Mean(p Pool, scale float32) {
	s.mean((*float32)(p.Out), &p.Taps[0], len(p.Taps), p.Step, p.Cells, p.Channels, scale)
}

// Sum adds to the sum of each channel its values in whole cells of len(sums)
// channels.
func (s *Set) Sum(sums []float64, cells []float32) {
	channels := len(sums)
	if len(cells) == 0 {
		return
	}
	full := channels / s.sumLanes * s.sumLanes
	if full > 0 {
		s.sum(&sums[0], &cells[0], full, channels*4, len(cells)/channels)
	}
	for c := full; c < channels; c++ {
		for i := c; i < len(cells); i += channels {
			sums[c] += float64(cells[i])
		}
	}
}

// SumDifference adds to the sum of each channel its values in now, less those in
// then, which are whole cells of len(sums) channels.
func (s *Set) SumDifference(sums []float64, now, then []float32) {
	channels := len(sums)
	if len(now) == 0 {
		return
	}
	_ = then[len(now)-1]
	full := channels / s.sumLanes * s.sumLanes
	if full > 0 {
		s.difference(&sums[0], &now[0], &then[0], full, channels*4, len(now)/channels)
	}
	for c := full; c < channels; c++ {
		for i := c; i < len(now); i += channels {
			sums[c] += float64(now[i]) - float64(then[i])
		}
	}
}

// poolsGeneric is in Go.
var poolsGeneric = pools{
	maximum: func(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, _ float32) {
		eachTap(out, taps, n, step, cells, channels, func(results, values []float32) {
			for i, v := range values {
				results[i] = max(results[i], v)
			}
		})
	},
	mean: func(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32) {
		eachTap(out, taps, n, step, cells, channels, func(results, values []float32) {
			for i, v := range values {
				results[i] += v
			}
		})
		results := unsafe.Slice(out, cells*channels)
		for i, sum := range results {
			results[i] = sum * scale
		}
	},
	sum: func(sums *float64, now *float32, channels, stride, cells int) {
		totals := unsafe.Slice(sums, channels)
		for i := range cells {
			for c, v := range cellAt(now, i*stride, channels) {
				totals[c] += float64(v)
			}
		}
	},
	difference: func(sums *float64, now, then *float32, channels, stride, cells int) {
		totals := unsafe.Slice(sums, channels)
		for i := range cells {
			before := cellAt(then, i*stride, channels)
			for c, v := range cellAt(now, i*stride, channels) {
				totals[c] += float64(v) - float64(before[c])
			}
		}
	},
	sumLanes: 1,
}

// eachTap copies the first tap of every cell to its results and folds the others
// into them.
func eachTap(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, fold func(results, values []float32)) {
	for x := range cells {
		results := unsafe.Slice(out, cells*channels)[x*channels:][:channels]
		for t, tap := range unsafe.Slice(taps, n) {
			values := cellAt((*float32)(tap), x*step, channels)
			if t == 0 {
				copy(results, values)
			} else {
				fold(results, values)
			}
		}
	}
}

// cellAt is n values, so many bytes behind p.
func cellAt(p *float32, bytes, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), bytes)), n)
}
