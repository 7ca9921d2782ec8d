package simd

import (
	"fmt"
	"unsafe"
)

// Product multiplies rows of values with a panel of packed weights. A row is
// several segments of contiguous values, which all rows have at the same
// distances from their starts. With r over the rows and j over the columns:
//
//	sum := start
//	for g, at := range Segments {
//		for i := range Length {
//			sum += In[r][at+i] * Weights[(g*Length+i)*Panel+j]
//		}
//	}
//	sum += Add[r][j]
//	Out[r][j] = min(max(sum, Low), High)
//
// where start is Bias[j], or Out[r][j] where there is no Bias. The products of
// one element are always summed in the same order through the same operations,
// whatever its place among the rows.
type Product struct {
	// In are the rows' starts. (A convolution's row is a pixel's window.)
	In []unsafe.Pointer
	// Out is where each row's sums go: Columns values.
	Out []unsafe.Pointer
	// Add is what is added to each row after the products, or empty.
	Add []unsafe.Pointer
	// Segments are the distances, in bytes, of the segments from a row's start.
	Segments []int
	// Length is the number of values of a segment.
	Length int
	// Weights are [len(Segments)*Length][Panel], aligned to a cache line.
	Weights *float32
	// Bias is Panel values to start from, or nil to go on from what Out holds.
	Bias *float32
	// Columns is how many of the panel's columns to compute, from 1 to Panel.
	Columns int
	// OutShift is added to every address of Out and Add, in bytes: the place of
	// the panel's first column.
	OutShift int
	// Low and High clamp the result; without, they are infinite.
	Low, High float32

	// turn grows with every tile. The loops bring what lies behind the weights,
	// mostly the next panel, into the second-level cache, each tile a quarter.
	turn int //nolint:unused // only assembly uses it
}

// Run computes p, which is for one goroutine at a time. The compiler takes p to
// escape: let it live for many runs.
func (s *Set) Run(p *Product) {
	rows := len(p.In)
	if rows == 0 {
		return
	}
	if len(p.Out) != rows || len(p.Add) != rows && len(p.Add) != 0 || p.Columns < 1 || p.Columns > s.Panel {
		panic(fmt.Sprintf("simd: a product of %d rows has %d outputs, %d rows to add and %d of %d columns",
			rows, len(p.Out), len(p.Add), p.Columns, s.Panel))
	}
	s.product(p)
}

// productGeneric is Product in Go, two rows at a time.
func productGeneric(p *Product) {
	k := len(p.Segments) * p.Length
	weights := unsafe.Slice(p.Weights, k*4)
	for r := 0; r < len(p.In); r += 2 {
		q := min(r+1, len(p.In)-1)
		var sums [8]float32
		out := [2][]float32{p.out(r), p.out(q)}
		for i := range out {
			if p.Bias != nil {
				copy(sums[4*i:4*i+4], unsafe.Slice(p.Bias, p.Columns))
			} else {
				copy(sums[4*i:4*i+4], out[i])
			}
		}
		micro2x4(&sums, p.In[r], p.In[q], p.Segments, p.Length, weights)
		for i, row := range [2]int{r, q} {
			var add []float32
			if len(p.Add) > 0 {
				add = unsafe.Slice((*float32)(unsafe.Add(p.Add[row], p.OutShift)), p.Columns)
			}
			for j, sum := range sums[4*i : 4*i+p.Columns] {
				if add != nil {
					sum += add[j]
				}
				out[i][j] = min(max(sum, p.Low), p.High)
			}
			if q == r {
				break
			}
		}
	}
}

// out is the values of row r.
func (p *Product) out(r int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(p.Out[r], p.OutShift)), p.Columns)
}

// micro2x4 adds to the sums of two rows and four columns their products.
//
// Four products are done at a time: the compiler then keeps the sums in
// registers for long enough to reach 12 GFLOP/s where the plain loop reaches 4.
func micro2x4(sums *[8]float32, a, b unsafe.Pointer, segments []int, n int, w []float32) {
	var a0, a1, a2, a3, b0, b1, b2, b3 float32
	room := sumBlock
	for _, at := range segments {
		left := unsafe.Slice((*float32)(unsafe.Add(a, at)), n)
		right := unsafe.Slice((*float32)(unsafe.Add(b, at)), n)
		for len(left) > 0 {
			if room == 0 {
				addTo(sums, a0, a1, a2, a3, b0, b1, b2, b3)
				a0, a1, a2, a3, b0, b1, b2, b3 = 0, 0, 0, 0, 0, 0, 0, 0
				room = sumBlock
			}
			m := min(room, len(left), len(right))
			x, y := left[:m], right[:m]
			left, right = left[m:], right[m:]
			room -= m
			for len(x) >= 4 && len(y) >= 4 && len(w) >= 16 {
				p, q, v := (*[4]float32)(x), (*[4]float32)(y), (*[16]float32)(w)
				a0 += p[0] * v[0]
				a1 += p[0] * v[1]
				a2 += p[0] * v[2]
				a3 += p[0] * v[3]
				b0 += q[0] * v[0]
				b1 += q[0] * v[1]
				b2 += q[0] * v[2]
				b3 += q[0] * v[3]

				a0 += p[1] * v[4]
				a1 += p[1] * v[5]
				a2 += p[1] * v[6]
				a3 += p[1] * v[7]
				b0 += q[1] * v[4]
				b1 += q[1] * v[5]
				b2 += q[1] * v[6]
				b3 += q[1] * v[7]

				a0 += p[2] * v[8]
				a1 += p[2] * v[9]
				a2 += p[2] * v[10]
				a3 += p[2] * v[11]
				b0 += q[2] * v[8]
				b1 += q[2] * v[9]
				b2 += q[2] * v[10]
				b3 += q[2] * v[11]

				a0 += p[3] * v[12]
				a1 += p[3] * v[13]
				a2 += p[3] * v[14]
				a3 += p[3] * v[15]
				b0 += q[3] * v[12]
				b1 += q[3] * v[13]
				b2 += q[3] * v[14]
				b3 += q[3] * v[15]
				x, y, w = x[4:], y[4:], w[16:]
			}
			for len(x) > 0 && len(y) > 0 && len(w) >= 4 {
				p, q, v := x[0], y[0], (*[4]float32)(w)
				a0 += p * v[0]
				a1 += p * v[1]
				a2 += p * v[2]
				a3 += p * v[3]
				b0 += q * v[0]
				b1 += q * v[1]
				b2 += q * v[2]
				b3 += q * v[3]
				x, y, w = x[1:], y[1:], w[4:]
			}
		}
	}
	addTo(sums, a0, a1, a2, a3, b0, b1, b2, b3)
}

// sumBlock is how many products are summed before the sum joins the total. Sums
// of sums round less: the error grows with sumBlock + K/sumBlock instead of K.
const sumBlock = 64

func addTo(sums *[8]float32, a0, a1, a2, a3, b0, b1, b2, b3 float32) {
	sums[0] += a0
	sums[1] += a1
	sums[2] += a2
	sums[3] += a3
	sums[4] += b0
	sums[5] += b1
	sums[6] += b2
	sums[7] += b3
}
