package gradient

import "occlude/operators/region"

// phase is, along one axis, every stride-th cell of a window's input: those
// cells i with (i + pad) mod stride the same. The gradient at its cell u is a sum
// over some of the window's taps, the same for all u,
//
//	dx[first + u*stride] = sum over n of w[taps[n]] * g[u - pad + n*dilation]
//
// which is a correlation of stride 1 with g as its input: a convolution as
// networks mean it, of the taps in reverse.
type phase struct {
	first, stride, count int   // input cells
	taps                 []int // none: the gradient is zero
	dilation             int
	// The correlation reads cells [crop.Lo, crop.Hi) of g, surrounded by zeros.
	crop       region.Interval
	pad, after int
}

// phasesOf takes the input of n cells of a window apart that makes m outputs of
// it. Output o reads input o*s - p + k*d with tap k, so with j = i + p = t*s + r
//
//	dx[i] = sum over o, k with o*s + k*d = j of w[k] * g[o]
//	      = sum over k with k*d mod s = r of w[k] * g[t - (k*d - r)/s]
func phasesOf(w region.Window, n, m int) []phase {
	var all []phase
	for r := range w.Stride {
		t := max(0, (w.Pad-r+w.Stride-1)/w.Stride) // the first at which i is in the map
		f := phase{first: t*w.Stride + r - w.Pad, stride: w.Stride, dilation: 1}
		if f.first >= n {
			continue
		}
		f.count = (n-1-f.first)/w.Stride + 1
		shift := 0 // of the tap that comes first, the window's last
		for k := w.Kernel - 1; k >= 0; k-- {
			if (k*w.Dilation-r)%w.Stride != 0 {
				continue
			}
			q := (k*w.Dilation - r) / w.Stride
			switch len(f.taps) {
			case 0:
				shift = q
			case 1:
				f.dilation = shift - q
			}
			f.taps = append(f.taps, k)
		}
		f.fit(t-shift, m)
		all = append(all, f)
	}
	return all
}

// fit finds the cells of g that the correlation reads, the first of which, for
// u = 0, is start, and how many zeros surround them.
func (f *phase) fit(start, m int) {
	if len(f.taps) == 0 {
		return
	}
	end := start + f.count - 1 + (len(f.taps)-1)*f.dilation + 1
	f.crop = region.Interval{Lo: start, Hi: end}.Clip(m)
	if f.crop.Empty() {
		f.taps = nil
		return
	}
	f.pad, f.after = f.crop.Lo-start, end-f.crop.Hi
}
