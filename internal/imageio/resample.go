package imageio

import "math"

// taps is a linear map along one axis: output i is the sum of weights[i][k]
// times input first[i]+k. Resizing and blurring are two of these, one for each
// axis, and differ in the weights alone.
type taps struct {
	first   []int
	weights [][]float64
}

// inputs is the range of inputs that the map looks at.
func (t taps) inputs() (from, to int) {
	from, to = t.first[0], 0
	for i, f := range t.first {
		from, to = min(from, f), max(to, f+len(t.weights[i]))
	}
	return from, to
}

// alongX maps every row, alongY every column.
func (t taps) alongX(m raster, whole bool) raster {
	out := newRaster(len(t.first), m.h, m.c, m.depth)
	t.apply(out.pix, m.pix, m.h, m.w, m.c, whole)
	return out
}

func (t taps) alongY(m raster, whole bool) raster {
	out := newRaster(m.w, len(t.first), m.c, m.depth)
	t.apply(out.pix, m.pix, 1, m.h, m.w*m.c, whole)
	return out
}

// apply maps the middle axis of an array of outer x n x inner values. Sums are
// taken in float64, each product rounded for itself so that every processor
// gets the same result. If whole, results are rounded to whole numbers and
// clipped to 0..255.
func (t taps) apply(dst, src []float32, outer, n, inner int, whole bool) {
	sums := make([]float64, inner)
	to := dst
	for o := range outer {
		line := src[o*n*inner : (o+1)*n*inner]
		for i, first := range t.first {
			from := line[first*inner : (first+len(t.weights[i]))*inner]
			switch inner {
			case 1:
				sums[0] = weigh1(t.weights[i], from)
			case 3:
				sums[0], sums[1], sums[2] = weigh3(t.weights[i], from)
			default:
				weigh(sums, t.weights[i], from)
			}
			for j, v := range sums {
				if whole {
					v = max(0, min(math.Floor(v+0.5), 255))
				}
				to[j] = float32(v)
			}
			to = to[inner:]
		}
	}
}

// weigh adds up groups of len(sums) values, each group times its weight.
func weigh(sums, weights []float64, from []float32) {
	clear(sums)
	for _, weight := range weights {
		for j, v := range from[:len(sums)] {
			sums[j] += float64(weight * float64(v))
		}
		from = from[len(sums):]
	}
}

// weigh1 is weigh for single values, the rows of gray pictures, and weigh3 for
// groups of three, those of colour pictures, where they save most of the time.
func weigh1(weights []float64, from []float32) (sum float64) {
	for i, v := range from[:len(weights)] {
		sum += float64(weights[i] * float64(v))
	}
	return sum
}

func weigh3(weights []float64, from []float32) (r, g, b float64) {
	for i := range weights {
		weight, v := weights[i], from[3*i:3*i+3]
		r += float64(weight * float64(v[0]))
		g += float64(weight * float64(v[1]))
		b += float64(weight * float64(v[2]))
	}
	return r, g, b
}

// bilinear makes outputs from..from+n-1 of a resize from in to out pixels.
//
// Each output pixel is a triangle laid over the input pixels, two input pixels
// wide when enlarging and two output pixels wide when reducing, so that no
// pixel is skipped. These are the weights of Pillow's BILINEAR. If whole, they
// are rounded to multiples of 2^-22 as Pillow's are for 8-bit pictures; all
// sums are then exact, and rounding them gives Pillow's pixels.
func bilinear(in, out, from, n int, whole bool) taps {
	scale := float64(in) / float64(out)
	reach := max(scale, 1)
	t := taps{first: make([]int, n), weights: make([][]float64, n)}
	for i := range n {
		center := float64((float64(from+i) + 0.5) * scale)
		first := max(0, int(center-reach+0.5))
		last := min(in, int(center+reach+0.5))
		weights := make([]float64, last-first)
		total := 0.0
		for k := range weights {
			distance := math.Abs((float64(first+k) - center + 0.5) / reach)
			weights[k] = max(0, 1-distance)
			total += weights[k]
		}
		for k := range weights {
			weights[k] /= total
			if whole {
				const unit = 1 << 22
				weights[k] = math.Floor(float64(weights[k]*unit)+0.5) / unit
			}
		}
		t.first[i], t.weights[i] = first, weights
	}
	return t
}

// gaussian blurs n pixels with a standard deviation of sigma. The kernel is cut
// off at four sigma, rounded to a whole pixel; beyond the rim the image goes on
// as in a mirror whose edge is the rim (d c b a | a b c d | d c b a).
func gaussian(n int, sigma float64) taps {
	radius := int(4*sigma + 0.5)
	kernel := make([]float64, 2*radius+1)
	total := 0.0
	for k := range kernel {
		d := float64(k-radius) / sigma
		kernel[k] = math.Exp(-0.5 * d * d)
		total += kernel[k]
	}
	t := taps{first: make([]int, n), weights: make([][]float64, n)}
	for i := range n {
		first, last := max(0, i-radius), min(n, i+radius+1)
		weights := make([]float64, last-first)
		for k, w := range kernel {
			weights[mirror(i+k-radius, n)-first] += w / total
		}
		t.first[i], t.weights[i] = first, weights
	}
	return t
}

// mirror brings any index into 0..n-1 by reflection at the rims, as often as
// needed.
func mirror(i, n int) int {
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return i
}
