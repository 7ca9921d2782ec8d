package region

import "math"

// Limit is the most output cells that projective field thresholding leaves of an
// update along an axis of n cells: the share tau of them, to the nearest even
// where that is a half, but at least one.
func Limit(tau float64, n int) int { return max(1, int(math.RoundToEven(tau*float64(n)))) }

// Threshold is the output interval of the update in when at most limit cells of
// the n are to be computed, and the part of the update that is read for it: the
// rest is taken for unchanged. It says, too, whether that is less than what changes.
//
// It is the thresholding of Krypton (Nakandala, Kumar, Papakonstantinou, SIGMOD
// 2019, section 5.1). An update that changes more is cropped before the window:
// to the cells that touch limit outputs,
//
//	limit * stride - extent + 1, at least one,
//
// from the middle of what is there (half of what is cut, rounded down, goes in
// front). What this touches is the output, of which the first limit cells count.
func (w Window) Threshold(in Interval, n, limit int) (out, read Interval, cropped bool) {
	out = w.Output(in, n)
	if out.Len() <= limit {
		return out, in, false
	}
	cut := in.Len() - min(in.Len(), max(1, limit*w.Stride-w.Extent()+1))
	lo := in.Lo + cut/2
	read = Interval{lo, lo + in.Len() - cut}
	out = w.Output(read, n)
	out.Hi = min(out.Hi, out.Lo+limit)
	return out, read, true
}
