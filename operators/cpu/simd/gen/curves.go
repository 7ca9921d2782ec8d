package main

import (
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["curves"] = curves }

// curves writes the functions of one number that are made of exponentials. All
// of them rest on
//
//	exp(x) = 2^n * exp(r),  n = round(x / ln 2),  r = x - n*ln 2,  |r| <= ln(2)/2
//	exp(r) = 1 + r + r*r*P(r)
//
// where P interpolates (exp(r)-1-r)/(r*r) at the Chebyshev nodes of the interval
// by degree 4, which leaves a relative error of 8e-9 in exp(r).
func curves(c *build.Context) {
	eachSet(c, func(v *vectors) {
		// One vector at a time: the processor overlaps the rounds, which do not
		// depend on each other.
		function(v, "Exp", 1, func(x, _, _ reg.VecVirtual) { v.exp(x) })
		function(v, "Sigmoid", 1, func(x, _, _ reg.VecVirtual) {
			// 1 / (1 + exp(-x))
			v.VXORPS(v.sign(), x, x)
			v.exp(x)
			one := v.number(1)
			v.VADDPS(one, x, x)
			v.VDIVPS(x, one, x)
		})
		function(v, "Swish", 1, func(x, alpha, _ reg.VecVirtual) {
			// x / (1 + exp(-alpha*x))
			power := v.vector()
			v.VMULPS(alpha, x, power)
			v.logistic(x, power)
		})
		function(v, "GeluTanh", 1, func(x, _, _ reg.VecVirtual) {
			// x/2 * (1 + tanh(u)) = x / (1 + exp(-2*u)), u = sqrt(2/pi) * (x + 0.044715*x^3)
			power := v.vector()
			v.VMULPS(x, x, power)
			v.VMULPS(v.constant(0.044715*2*math.Sqrt(2/math.Pi)), power, power)
			v.VADDPS(v.constant(2*math.Sqrt(2/math.Pi)), power, power)
			v.VMULPS(x, power, power)
			v.logistic(x, power)
		})
		function(v, "Tanh", 1, func(x, _, _ reg.VecVirtual) { v.tanh(x) })
		function(v, "Mish", 1, func(x, _, _ reg.VecVirtual) {
			// x * tanh(log(1 + e)) = x * (w / (w+2)), w = e*(e+2), e = exp(x);
			// from 20 on that is x, and would overflow later.
			e, w := v.vector(), v.number(20)
			v.VMINPS(x, w, e)
			v.exp(e)
			two := v.number(2)
			v.VADDPS(two, e, w)
			v.VMULPS(e, w, w)
			v.VADDPS(two, w, e)
			v.VDIVPS(e, w, w)
			v.VMULPS(w, x, x)
		})
		function(v, "Elu", 1, func(x, alpha, beta reg.VecVirtual) {
			// beta * (max(x, 0) + alpha*(exp(min(x, 0)) - 1))
			zero, below := v.zero(), v.vector()
			v.VMINPS(x, zero, below)
			v.VMAXPS(x, zero, x)
			v.expm1(below)
			v.VFMADD231PS(below, alpha, x)
			v.VMULPS(beta, x, x)
		})
		function(v, "Gelu", 1, func(x, _, _ reg.VecVirtual) { v.gelu(x) })
	})
}

// number is a constant in a register.
func (v *vectors) number(x float64) reg.VecVirtual {
	y := v.vector()
	v.VMOVUPS(v.constant(x), y)
	return y
}

// sign is the bit of the sign, in memory.
func (v *vectors) sign() operand.Mem { return v.pattern(1 << 31) }

// nearest is n = round(x), ties to even.
func (v *vectors) nearest(x, n reg.VecVirtual) {
	if v.wide() {
		v.VRNDSCALEPS(operand.U8(0), x, n)
	} else {
		v.VROUNDPS(operand.U8(0), x, n)
	}
}

// reduce makes n and exp(r)-1, in place of x, of an x whose exp(r) is a number.
func (v *vectors) reduce(x, n reg.VecVirtual) {
	v.VMULPS(v.constant(math.Log2E), x, n)
	v.nearest(n, n)
	// ln 2 as the sum of a float32 and what that lacks; the fused product with
	// the first is exact.
	high := float64(float32(math.Ln2))
	v.VFNMADD231PS(v.constant(high), n, x)
	v.VFNMADD231PS(v.constant(math.Ln2-high), n, x)
	p := v.number(0.001392617611993558)
	for _, c := range []float64{0.008363173074513711, 0.041666554662050534, 0.1666657702559799, 0.5} {
		v.VFMADD213PS(v.constant(c), x, p)
	}
	v.VMULPS(x, p, p)
	v.VFMADD213PS(x, p, x) // x = x*p + x
}

// power2 is s = 2^n of a normal number.
func (v *vectors) power2(n, s reg.VecVirtual) {
	v.VCVTPS2DQ(n, s)
	v.VPSLLD(operand.U8(23), s, s)
	v.VPADDD(v.constant(1), s, s) // the exponent of 1 is 0's
}

// exp is x = exp(x): infinity from 88.73 on, 0 from -104 on.
func (v *vectors) exp(x reg.VecVirtual) {
	v.clamp(x, v.number(-104), v.number(89))
	n := v.vector()
	v.reduce(x, n)
	v.VADDPS(v.constant(1), x, x)
	if v.wide() {
		v.VSCALEFPS(n, x, x)
		return
	}
	// The scale itself may be no normal number: its halves are.
	half, s := v.vector(), v.vector()
	v.VMULPS(v.constant(0.5), n, half)
	v.nearest(half, half)
	v.VSUBPS(half, n, n)
	v.power2(half, s)
	v.VMULPS(s, x, x)
	v.power2(n, s)
	v.VMULPS(s, x, x)
}

// expm1 is x = exp(x) - 1 for x up to 88, exact to a few units in the last place
// around 0 too: 2^n*(exp(r)-1) + (2^n-1).
func (v *vectors) expm1(x reg.VecVirtual) {
	low := v.number(-87) // exp(-87) does not show beside 1
	v.VMAXPS(x, low, x)
	n, s := v.vector(), v.vector()
	v.reduce(x, n)
	v.power2(n, s)
	v.VADDPS(v.constant(-1), s, n)
	v.VFMADD213PS(n, s, x)
}

// logistic is x = x / (1 + exp(-power)).
func (v *vectors) logistic(x, power reg.VecVirtual) {
	v.VXORPS(v.sign(), power, power)
	v.exp(power)
	v.VADDPS(v.constant(1), power, power)
	v.VDIVPS(power, x, x)
}

// tanh is x = sign(x) * e/(e+2), e = exp(2|x|)-1; from 20 on that is 1.
func (v *vectors) tanh(x reg.VecVirtual) {
	sign, high := v.vector(), v.number(20)
	v.VANDPS(v.sign(), x, sign)
	v.VXORPS(sign, x, x)
	v.VMINPS(x, high, x)
	v.VADDPS(x, x, x)
	v.expm1(x)
	v.VADDPS(v.constant(2), x, high)
	v.VDIVPS(high, x, x)
	v.VORPS(sign, x, x)
}

// geluTail interpolates erfc(z/sqrt 2)/2 * exp(z*z/2) / t as a polynomial in
// t = 1/(1 + geluScale*z) at the Chebyshev nodes of 0 <= z <= 14.5, behind which
// float32 has no numbers for erfc; the relative error is 3e-8. (The form is that
// of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.17.)
var geluTail = []float64{
	0.107722758, 0.107507093, 0.102063549, 0.0710775825, 0.110054217, -0.0723445624, 0.172436097, -0.127722557, 0.0292058334,
}

const geluScale = 0.27

// gelu is x = x * Phi(x), the distribution function of the normal distribution:
// erfc(-x/sqrt 2)/2, which is a tail below 0 and 1 less a tail above.
func (v *vectors) gelu(x reg.VecVirtual) {
	z, t := v.vector(), v.number(20) // from there on the tail is 0
	v.VANDPS(v.pattern(1<<31-1), x, z)
	v.VMINPS(z, t, z)
	one := v.number(1)
	v.VMOVAPS(z, t)
	v.VFMADD213PS(one, v.number(geluScale), t)
	v.VDIVPS(t, one, t)
	tail := v.number(geluTail[len(geluTail)-1])
	for i := len(geluTail) - 2; i >= 0; i-- {
		v.VFMADD213PS(v.constant(geluTail[i]), t, tail)
	}
	v.VMULPS(t, tail, tail)
	// exp(-z*z/2): what the rounded square lacks, low, counts where z is large.
	square, low := v.vector(), v.vector()
	v.VMULPS(z, z, square)
	v.VMOVAPS(square, low)
	v.VFMSUB231PS(z, z, low) // z*z - low
	v.VMULPS(v.constant(-0.5), square, square)
	v.VMULPS(v.constant(-0.5), low, low)
	v.exp(square)
	v.VFMADD213PS(square, square, low) // low*exp + exp
	v.VMULPS(low, tail, tail)
	// 1 - tail where x is not negative.
	upper := v.vector()
	v.VSUBPS(tail, one, upper)
	v.blend(x, tail, upper, tail)
	v.VMULPS(tail, x, x)
}

// blend is to = negative where the sign of x is set, else positive.
func (v *vectors) blend(x, negative, positive, to reg.VecVirtual) {
	if !v.wide() {
		v.VBLENDVPS(x, negative, positive, to)
		return
	}
	k := v.K()
	v.VPMOVD2M(x, k)
	v.VBLENDMPS(negative, positive, k, to)
}
