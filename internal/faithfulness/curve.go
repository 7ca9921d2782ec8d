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

// Bounds are the smallest rectangles of an image so wide that hold the first counts[k]
// of some pixels, and those that hold the others, by k. The counts ascend.
func Bounds(pixels []int32, counts []int, width int) (first, others []region.Rect) {
	first, others = make([]region.Rect, len(counts)), make([]region.Rect, len(counts))
	at := func(p int32) region.Rect { return region.Of(int(p)%width, int(p)/width, 1, 1) }
	var held region.Rect
	i := 0
	for k, n := range counts {
		for ; i < n; i++ {
			held = held.Union(at(pixels[i]))
		}
		first[k] = held
	}
	held, i = region.Rect{}, len(pixels)
	for k := len(counts) - 1; k >= 0; k-- {
		for ; i > counts[k]; i-- {
			held = held.Union(at(pixels[i-1]))
		}
		others[k] = held
	}
	return first, others
}
