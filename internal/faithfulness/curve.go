package faithfulness

import "occlude/operators/region"

// Even are how many of some pixels have changed at each step, from none to all:
// steps+1 numbers as even as whole numbers can be. There are at most as many steps as
// pixels.
func Even(pixels, steps int) []int {
	counts := make([]int, steps+1)
	for k := range counts {
		counts[k] = (k*pixels + steps/2) / steps
	}
	return counts
}

// Early are steps that stand close together at first, where the curves of good maps
// bend: at the share (k/steps)² of the pixels, and at least a pixel apart.
func Early(pixels, steps int) []int {
	counts := make([]int, steps+1)
	for k := range counts {
		counts[k] = max(k, (k*k*pixels+steps*steps/2)/(steps*steps))
	}
	return counts
}

// Area is the area under the curve through the points (x, y) by the trapezoid rule,
// over its width: the mean height. The x ascend, and there are at least two.
func Area(x []int, y []float64) float64 {
	sum := 0.0
	for i := 1; i < len(x); i++ {
		sum += float64(x[i]-x[i-1]) * (y[i-1] + y[i]) / 2
	}
	return sum / float64(x[len(x)-1]-x[0])
}

// Bounds is the smallest rectangle that holds some pixels of an image so wide.
func Bounds(pixels []int32, width int) region.Rect {
	if len(pixels) == 0 {
		return region.Rect{}
	}
	x0, x1, y0, y1 := width, 0, int(pixels[0])/width, 0
	for _, p := range pixels {
		x, y := int(p)%width, int(p)/width
		x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
	}
	return region.Of(x0, y0, x1-x0+1, y1-y0+1)
}
