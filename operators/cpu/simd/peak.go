package simd

// Peak does n rounds of independent multiply-adds between registers, as wide as
// the set's instructions are, and returns how many floating-point operations
// they were, two for each multiply-add. No loop can be faster: benchmarks report
// their rate as a fraction of that of Peak in the same run.
func (s *Set) Peak(n int) (operations int) {
	if n < 1 {
		return 0
	}
	return s.peak(n)
}

// peakGeneric is Peak in Go.
func peakGeneric(n int) int {
	x, y := 1/float32(n+1), float32(n)
	a, b, c, d, e, f, g, h := x, x, x, x, x, x, x, x
	for range n {
		a = a*x + y
		b = b*x + y
		c = c*x + y
		d = d*x + y
		e = e*x + y
		f = f*x + y
		g = g*x + y
		h = h*x + y
	}
	if a+b+c+d+e+f+g+h == 0 {
		return 0 // never, but the compiler must compute the sums to know
	}
	return n * 8 * 2
}
