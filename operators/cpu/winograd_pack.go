package cpu

import "occlude/operators/cpu/simd"

// packBlock is how many channels of a panel are transformed together: their taps
// and the halves between the two transforms stay in the first-level cache.
const packBlock = 8

// pack transforms the weights. Block by block the filters of a panel are brought
// side by side, as the panels have them: then each transform is of vectors, and
// what it gives lies in one piece.
func (k *winograd) pack() {
	panel, taps := k.set.Panel, k.op.Taps()
	k.weights = simd.Aligned(k.points() * k.panels * k.cin * panel)
	from := k.op.Weights.Data().([]float32)
	gy, gx := k.y.filter(), k.x.filter()
	n := min(packBlock, k.cin) * panel
	side := simd.Aligned(taps * n) // [tap][channel][filter of the panel]
	half := simd.Aligned(k.x.taps * n)
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
						to[c*panel] = v
					}
				}
			}
			for i, row := range gy {
				for b := range k.x.taps {
					mix(k.set, half[b*n:][:size], row, side[b*n:], k.x.taps*n)
				}
				for j, row := range gx {
					mix(k.set, k.panel(i*k.x.points+j, p)[lo*panel:][:size], row, half, n)
				}
			}
		}
	}
}

// mix sums up vectors that stand a distance apart, each times its factor.
func mix(set *simd.Set, to []float32, factors []float64, from []float32, apart int) {
	if len(factors) == 3 {
		set.Mix(to, from, from[apart:], from[2*apart:], float32(factors[0]), float32(factors[1]), float32(factors[2]))
		return
	}
	for i := range to {
		sum := 0.0
		for t, f := range factors {
			sum += f * float64(from[t*apart+i])
		}
		to[i] = float32(sum)
	}
}
