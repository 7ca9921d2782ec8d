// The functions of one number, in float32 without a library: their error is a few
// units in the last place of the result or of 1. Package soft has the same formulas.
#pragma once
#include "device.h"

// scale2 is x * 2^n, |n| < 252.
DEVICE float scale2(float x, int n) {
	int half = n / 2;
	float a = __builtin_bit_cast(float, (half + 127) << 23), b = __builtin_bit_cast(float, (n - half + 127) << 23);
	return x * a * b;
}

// exp_: x = n log 2 + r, |r| <= log(2)/2, and seven terms of the series at r.
DEVICE float exp_(float x) {
	if (!(x > -104.0f)) {
		return x != x ? x : 0.0f;
	}
	if (x > 88.8f) {
		return __builtin_inff();
	}
	float n = __builtin_rintf(x * 1.44269504f);
	float r = __builtin_fmaf(n, -0.693145752f, x); // log 2 in two parts, the first short
	r = __builtin_fmaf(n, -1.42860677e-6f, r);
	float p = 1.0f / 5040;
	p = __builtin_fmaf(p, r, 1.0f / 720);
	p = __builtin_fmaf(p, r, 1.0f / 120);
	p = __builtin_fmaf(p, r, 1.0f / 24);
	p = __builtin_fmaf(p, r, 1.0f / 6);
	p = __builtin_fmaf(p, r, 0.5f);
	p = __builtin_fmaf(p, r, 1.0f);
	p = __builtin_fmaf(p, r, 1.0f);
	return scale2(p, (int)n);
}

// expm1_ is exp(x) - 1, by the series near 0.
DEVICE float expm1_(float x) {
	if (!(x > -0.5f && x < 0.5f)) {
		return exp_(x) - 1.0f;
	}
	float p = 1.0f / 362880;
	p = __builtin_fmaf(p, x, 1.0f / 40320);
	p = __builtin_fmaf(p, x, 1.0f / 5040);
	p = __builtin_fmaf(p, x, 1.0f / 720);
	p = __builtin_fmaf(p, x, 1.0f / 120);
	p = __builtin_fmaf(p, x, 1.0f / 24);
	p = __builtin_fmaf(p, x, 1.0f / 6);
	p = __builtin_fmaf(p, x, 0.5f);
	return __builtin_fmaf(p * x, x, x);
}

// atanh2 is 2 atanh(s), |s| <= 1/3: the logarithm of (1+s) / (1-s).
DEVICE float atanh2(float s) {
	float q = s * s, p = 1.0f / 15;
	p = __builtin_fmaf(p, q, 1.0f / 13);
	p = __builtin_fmaf(p, q, 1.0f / 11);
	p = __builtin_fmaf(p, q, 1.0f / 9);
	p = __builtin_fmaf(p, q, 1.0f / 7);
	p = __builtin_fmaf(p, q, 1.0f / 5);
	p = __builtin_fmaf(p, q, 1.0f / 3);
	return 2 * __builtin_fmaf(p * q, s, s);
}

// log_: x = m 2^n with m between sqrt(1/2) and sqrt(2).
DEVICE float log_(float x) {
	if (x < 0 || x != x) {
		return __builtin_nanf("");
	}
	if (x == 0) {
		return -__builtin_inff();
	}
	if (x == __builtin_inff()) {
		return x;
	}
	int n = 0;
	if (x < 1.17549435e-38f) { // a subnormal number
		x *= 16777216.0f;
		n = -24;
	}
	int bits = __builtin_bit_cast(int, x);
	n += (bits >> 23) - 127;
	float m = __builtin_bit_cast(float, (bits & 0x7fffff) | 0x3f800000);
	if (m > 1.41421356f) {
		m *= 0.5f;
		n++;
	}
	float l = atanh2((m - 1) / (m + 1));
	return __builtin_fmaf((float)n, 0.693145752f, __builtin_fmaf((float)n, 1.42860677e-6f, l));
}

// softplus_ is log(1 + exp(x)).
DEVICE float softplus_(float x) {
	float t = exp_(-__builtin_fabsf(x));
	return (x > 0 ? x : 0) + atanh2(t / (2 + t));
}

DEVICE float sigmoid_(float x) { return 1 / (1 + exp_(-x)); }

DEVICE float tanh_(float x) {
	float m = expm1_(2 * __builtin_fabsf(x));
	float t = m > 1e30f ? 1.0f : m / (m + 2);
	return x < 0 ? -t : t;
}

// erf_: the series near 0, the continued fraction of its complement elsewhere.
DEVICE float erf_(float x) {
	float a = __builtin_fabsf(x), q = x * x;
	if (a < 2) {
		float term = x, sum = x;
		for (int n = 1; n < 22; n++) {
			term *= -q / n;
			sum += term / (2 * n + 1);
		}
		return sum * 1.12837917f;
	}
	float f = a;
	for (int n = 16; n > 0; n--) {
		f = a + 0.5f * n / f;
	}
	float r = a > 9 ? 1.0f : 1 - exp_(-q) * 0.564189584f / f;
	return x != x ? x : x < 0 ? -r : r;
}

// exp and log in float64, for powers.
DEVICE double log64(double x) {
	long bits = __builtin_bit_cast(long, x);
	int n = (int)(bits >> 52) - 1023;
	double m = __builtin_bit_cast(double, (bits & 0xfffffffffffffL) | 0x3ff0000000000000L);
	if (m > 1.4142135623730951) {
		m *= 0.5;
		n++;
	}
	double s = (m - 1) / (m + 1), q = s * s, p = 0;
	for (int i = 21; i > 0; i -= 2) {
		p = p * q + 1.0 / i;
	}
	return 2 * s * p + n * 0.6931471805599453;
}

DEVICE double exp64(double x) {
	if (x > 700) {
		return __builtin_inf();
	}
	if (x < -700) {
		return 0;
	}
	double n = __builtin_rint(x * 1.4426950408889634), r = x - n * 0.6931471805599453, p = 1;
	for (int i = 14; i > 0; i--) {
		p = 1 + p * r / i;
	}
	return p * __builtin_bit_cast(double, ((long)n + 1023) << 52);
}

// power is x^y as C defines it, for finite y.
DEVICE float power(float x, float y) {
	if (y == 0 || x == 1) {
		return 1;
	}
	if (x != x || y != y) {
		return x + y;
	}
	bool whole = y == __builtin_floorf(y), odd = whole && 0.5f * y != __builtin_floorf(0.5f * y);
	float a = __builtin_fabsf(x), r;
	if (a == 0 || a == __builtin_inff()) {
		r = (a == 0) == (y > 0) ? 0.0f : __builtin_inff();
	} else if (x < 0 && !whole) {
		return __builtin_nanf("");
	} else {
		r = (float)exp64(y * log64(a));
	}
	return x < 0 && odd ? -r : r;
}

// Functions, numbered as in functions.go.
enum {
	NONE, LEAKY_RELU, ELU, CELU, SELU, GELU, GELU_TANH, SIGMOID, HARD_SIGMOID, HARD_SWISH, SWISH, MISH, TANH, SOFTPLUS,
	SOFTSIGN, THRESHOLD, EXP, LOG, SQRT, RECIPROCAL, ABS, NEG, ERF, POWER, FLOOR, CEIL, ROUND, SIGN
};

DEVICE float apply(int fn, float x, float alpha, float beta) {
	switch (fn) {
	case LEAKY_RELU: return x < 0 ? alpha * x : x;
	case ELU: return x < 0 ? alpha * expm1_(x) : x;
	case CELU: return x < 0 ? alpha * expm1_(x / alpha) : x;
	case SELU: return beta * (x < 0 ? alpha * expm1_(x) : x);
	case GELU: return 0.5f * x * (1 + erf_(x * 0.707106781f));
	case GELU_TANH: return 0.5f * x * (1 + tanh_(0.797884561f * __builtin_fmaf(0.044715f * x * x, x, x)));
	case SIGMOID: return sigmoid_(x);
	case HARD_SIGMOID: return clamp(__builtin_fmaf(alpha, x, beta), 0, 1);
	case HARD_SWISH: return x * clamp(__builtin_fmaf(alpha, x, beta), 0, 1);
	case SWISH: return x * sigmoid_(alpha * x);
	case MISH: return x * tanh_(softplus_(x));
	case TANH: return tanh_(x);
	case SOFTPLUS: return softplus_(x);
	case SOFTSIGN: return x / (1 + __builtin_fabsf(x));
	case THRESHOLD: return x <= alpha ? 0 : x;
	case EXP: return exp_(x);
	case LOG: return log_(x);
	case SQRT: return __builtin_sqrtf(x);
	case RECIPROCAL: return 1 / x;
	case ABS: return __builtin_fabsf(x);
	case NEG: return -x;
	case ERF: return erf_(x);
	case POWER: return power(x, alpha);
	case FLOOR: return __builtin_floorf(x);
	case CEIL: return __builtin_ceilf(x);
	case ROUND: return __builtin_rintf(x);
	case SIGN: return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
	}
	return x;
}

// activated is apply, once in the module however often it is called.
DEVICE_CALL float activated(int fn, float x, float alpha, float beta) { return apply(fn, x, alpha, beta); }

// Ending is Ending in args.go, a kernel's parameters ENDING.
#define ENDING float low, float high, int fn, float alpha, float beta
struct Ending {
	float low, high;
	int fn;
	float alpha, beta;

	// end ends N values.
	template <int N> DEVICE_MEMBER void end(float *v) const {
		if (fn) {
#pragma unroll
			for (int i = 0; i < N; i++) {
				v[i] = activated(fn, v[i], alpha, beta);
			}
		} else {
#pragma unroll
			for (int i = 0; i < N; i++) {
				v[i] = clamp(v[i], low, high);
			}
		}
	}
};
#define THE_ENDING \
	Ending { low, high, fn, alpha, beta }
