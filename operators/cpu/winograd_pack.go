package cpu

import "occlude/operators/cpu/simd"

// packBlock is how many channels of a panel are transformed together: their taps
// and the halves between the two transforms stay in the first-level cache.
const packBlock = 8

// pack transforms the weights, in float64. Block by block the filters of a panel
// are brought side by side, as the panels have them: then each transform is of
// vectors, and what it gives lies in one piece.
func (k *winograd) pack() {
	panel, taps := k.set.Panel, k.op.Taps()
	k.weights = simd.Aligned(k.points() * k.panels * k.cin * panel)
	from := k.op.Weights.Data().([]float32)
	gy, gx := k.y.filter(), k.x.filter()
	n := min(packBlock, k.cin) * panel
	side := make([]float64, taps*n) // [tap][channel][filter of the panel]
	half := make([]float64, k.x.taps*n)
	for p := range k.panels {
		filters := min(panel, k.cout-p*panel)
		if filters < panel {
			clear(side) // those that fill up the last panel are zero
		}
		for lo := 0; lo < k.cin; lo += packBlock {
			channels := min(packBlock, k.cin-lo)
			size := channels * panel
			for f := range filters {
				filter := from[(p*panel+f)*taps*k.cin:][:taps*k.cin]
				for t := range taps {
					to := side[t*n+f:]
					for c, v := range filter[t*k.cin+lo:][:channels] {
						to[c*panel] = float64(v)
					}
				}
			}
			for i, row := range gy {
				for b := range k.x.taps {
					weighted(half[b*n:][:size], row, side[b*n:], k.x.taps*n)
				}
				for j, row := range gx {
					weighted(k.panel(i*k.x.points+j, p)[lo*panel:][:size], row, half, n)
				}
			}
		}
	}
}

// weighted sums up vectors that stand a distance apart, each times its factor.
func weighted[T float32 | float64](to []T, factors []float64, from []float64, apart int) {
	if len(factors) == 3 {
		f, g, h := factors[0], factors[1], factors[2]
		a, b, c := from[:len(to)], from[apart:][:len(to)], from[2*apart:][:len(to)]
		for i := range to {
			to[i] = T(f*a[i] + g*b[i] + h*c[i])
		}
		return
	}
	for i := range to {
		sum := 0.0
		for t, f := range factors {
			sum += f * from[t*apart+i]
		}
		to[i] = T(sum)
	}
}
