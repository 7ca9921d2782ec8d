package soft

import (
	"math"

	"occlude/operators/gpu/kernels"
)

// globalPool makes one cell of a map: the mean, the sum or the largest of each channel.
// Where Base holds the clean image's cell, a mean or a sum is that and what the rectangle
// changes, unless nearly all of it would go or is not finite.
func globalPool(d *Device, a *kernels.GlobalPool, grid [3]int) {
	blocks(grid, a.Positions)
	in, base := d.source(a.In, a.Positions), d.at(a.Base)
	n := 1.0
	if a.Fn == 0 {
		n = float64(a.H) * float64(a.In.W)
	}
	d.each(a.Out, a.In.C, func(to []float32, p, _, _ int) {
		e := in.table[p]
		for k := range to {
			if base != nil && in.view != nil && a.Fn != 2 && e.Cells() < int(a.H)*in.w {
				var changed float64
				for y := int(e.Y0); y < int(e.Y1); y++ {
					for x := int(e.X0); x < int(e.X1); x++ {
						changed += float64(in.value(p, y, x, k)) - float64(in.view[(y*in.w+x)*in.c+k])
					}
				}
				if sum := float64(base[k]) + changed/n; math.Abs(sum) <= 1e300 && math.Abs(sum) >= math.Abs(float64(base[k]))/1024 {
					to[k] = float32(sum)
					continue
				}
			}
			largest, sum := -infinity, 0.0
			for i := range int(a.H) * in.w {
				v := in.value(p, i/in.w, i%in.w, k)
				largest = larger(v, largest)
				sum += float64(v)
			}
			to[k] = float32(sum / n)
			if a.Fn == 2 {
				to[k] = largest
			}
		}
	})
}

// instanceNorm normalizes each channel by its mean and variance over the map.
func instanceNorm(d *Device, a *kernels.InstanceNorm, grid [3]int) {
	blocks(grid, a.Positions)
	in, scale, shift := d.source(a.In, a.Positions), d.values(a.Scale), d.values(a.Shift)
	n := int(a.H) * in.w
	moments := func(p, k int) (mean, by float64) {
		for i := range n {
			mean += float64(in.value(p, i/in.w, i%in.w, k))
		}
		mean /= float64(n)
		var variance float64
		for i := range n {
			v := float64(in.value(p, i/in.w, i%in.w, k)) - mean
			variance += v * v
		}
		return mean, float64(scale[k]) / math.Sqrt(variance/float64(n)+float64(a.Epsilon.Value()))
	}
	means, scales, last := make([]float64, in.c), make([]float64, in.c), -1
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		for k := 0; k < in.c && p != last; k++ {
			means[k], scales[k] = moments(p, k)
		}
		last = p
		for k := range to {
			to[k] = float32((float64(in.value(p, y, x, k))-means[k])*scales[k] + float64(shift[k]))
		}
	})
}

// rearrange shows a map's values in another order, by its mode.
func rearrange(d *Device, a *kernels.Rearrange, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	h, w, c := int(a.H), int(a.W), int(a.C)
	d.each(a.Out, a.C, func(to []float32, p, y, x int) {
		for k := range to {
			i := (y*w+x)*c + k
			switch a.Mode {
			case kernels.Flatten:
				cells := int(a.InH) * in.w
				i = k%cells*in.c + k/cells
			case kernels.Unflatten:
				i = (k*h+y)*w + x
			}
			to[k] = in.value(p, i/in.c/in.w, i/in.c%in.w, i%in.c)
		}
	})
}
