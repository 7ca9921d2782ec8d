#include "each.h"

// Pooled is what N channels come to over some cells.
template <int N> struct Pooled {
	double sum[N];
	float largest[N];
};

template <int N> DEVICE void pool_all(const Out &out, const Entry &e, const Source &in, const Entry &from, int h, int fn, const float *base) {
	SHARED Pooled<N> parts[256];
	SHARED int again;
	const int pieces = in.c / N, lanes = pieces < 32 ? pieces : 32, slices = threads() / lanes;
	const int lane = thread() % lanes, slice = thread() / lanes;
	const double n = fn == 0 ? (double)h * in.w : 1.0;
	const bool adjusts = base && in.view && fn != 2 && cells(from) < h * in.w;

	// pooled is what channels come to over a rectangle, for the first slice to know.
	auto pooled = [&](int y0, int x0, int y1, int x1, int k, bool difference) {
		Pooled<N> p;
#pragma unroll
		for (int j = 0; j < N; j++) {
			p.sum[j] = 0;
			p.largest[j] = -__builtin_inff();
		}
		const int width = x1 - x0, all = k < in.c && slice < slices ? (y1 - y0) * width : 0;
#pragma unroll 4
		for (int i = slice; i < all; i += slices) {
			const int y = y0 + i / width, x = x0 + i % width;
			const float *const cell = in.cell(from, y, x);
			const Piece<N> got = load<N>(cell ? cell + k : nullptr);
			const Piece<N> was = load<N>(difference ? in.view + ((long)y * in.w + x) * in.c + k : nullptr);
#pragma unroll
			for (int j = 0; j < N; j++) {
				p.sum[j] += (double)got.v[j] - (double)was.v[j];
				p.largest[j] = larger(got.v[j], p.largest[j]);
			}
		}
		parts[thread()] = p;
		barrier();
		for (int s = 1; slice == 0 && s < slices; s++) {
			const Pooled<N> &more = parts[s * lanes + lane];
#pragma unroll
			for (int j = 0; j < N; j++) {
				p.sum[j] += more.sum[j];
				p.largest[j] = larger(more.largest[j], p.largest[j]);
			}
		}
		barrier();
		return p;
	};

	for (int first = block_x() * lanes; first < pieces; first += blocks_x() * lanes) {
		const int k = (first + lane) * N;
		const bool mine = slice == 0 && k < in.c;
		Piece<N> r = {};
		bool known[N] = {};
		if (thread() == 0) {
			again = !adjusts;
		}
		if (adjusts) {
			const Pooled<N> changed = pooled(from.y0, from.x0, from.y1, from.x1, k, true);
#pragma unroll
			for (int j = 0; mine && j < N; j++) {
				const double sum = base[k + j] + changed.sum[j] / n, size = sum < 0 ? -sum : sum, was = base[k + j] < 0 ? -base[k + j] : base[k + j];
				r.v[j] = (float)sum;
				known[j] = size <= 1e300 && size >= was / 1024;
				if (!known[j]) {
					again = 1;
				}
			}
		}
		barrier();
		if (again) {
			const Pooled<N> whole = pooled(0, 0, h, in.w, k, false);
#pragma unroll
			for (int j = 0; j < N; j++) {
				r.v[j] = known[j] ? r.v[j] : fn == 2 ? whole.largest[j] : (float)(whole.sum[j] / n);
			}
		}
		if (mine) {
			keep<N>(out.cell(e, e.y0, e.x0) + k, r);
		}
		barrier();
	}
}

// global_pool makes one cell of a map: the mean, the sum or the largest of each channel. Where
// base holds the clean image's cell, a mean or a sum is that and what the rectangle changes,
// unless nearly all of it would go or is not finite. A block takes up to 32 pieces of channels,
// as many slices of the cells as it has threads for, and then adds the slices up.
KERNEL2(256, 4) void global_pool(OUT, IN, int h, int fn, const float *base) {
	const Entry e = out_table[block_y()], from = table[block_y()];
	if (cells(e) == 0) {
		return;
	}
	if (c % 4 == 0) {
		pool_all<4>(THE_OUT, e, THE_IN, from, h, fn, base);
	} else {
		pool_all<1>(THE_OUT, e, THE_IN, from, h, fn, base);
	}
}

// instance_norm normalizes each channel by its mean and variance over the map.
KERNEL(256) void instance_norm(OUT, IN, int h, const float *scale, const float *shift, float epsilon) {
	const Source in = THE_IN;
	const Out out = THE_OUT;
	const Entry e = out_table[block_y()], from = table[block_y()];
	const double n = (double)h * w;
	for (int k = block_x() * threads() + thread(); k < c; k += blocks_x() * threads()) {
		double mean = 0, variance = 0;
		for (int i = 0; i < h * w; i++) {
			mean += in.value(from, i / w, i % w, k);
		}
		mean /= n;
		for (int i = 0; i < h * w; i++) {
			const double d = in.value(from, i / w, i % w, k) - mean;
			variance += d * d;
		}
		const double by = scale[k] / __builtin_sqrt(variance / n + epsilon);
		for (int y = e.y0; y < e.y1; y++) {
			for (int x = e.x0; x < e.x1; x++) {
				out.cell(e, y, x)[k] = (float)((in.value(from, y, x, k) - mean) * by + shift[k]);
			}
		}
	}
}

// rearrange shows a map's values in another order: 0 from a map to a vector in ONNX's
// order, which is channel, row, column; 1 the same backwards; 2 as they are stored.
KERNEL(256) void rearrange(OUT, int high, int wide, int channels, IN, int h, int mode) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	each_value(THE_OUT, out_table[block_y()], channels, false, PIECE {
		int i; // in the order in which the input is stored
		if (mode == 0) {
			i = k % (h * w) * c + k / (h * w);
		} else if (mode == 1) {
			i = (k * high + y) * wide + x;
		} else {
			i = (y * wide + x) * channels + k;
		}
		p.v[0] = in.value(from, i / c / w, i / c % w, i % c);
		return true;
	});
}

// largest raises what lies at to, the bits of a number, to the bits of the largest |value| that is
// finite. Bits of numbers that are not negative are in the numbers' order.
KERNEL(256) void largest(const float *from, int values, unsigned *to) {
	unsigned bits = 0;
	for (long i = block_x() * threads() + thread(); i < values; i += (long)blocks_x() * threads()) {
		const unsigned v = __builtin_bit_cast(unsigned, from[i]) & 0x7fffffff;
		bits = v > bits && v < 0x7f800000 ? v : bits;
	}
	for (int mask = 16; mask; mask /= 2) {
		const unsigned v = __builtin_bit_cast(unsigned, shuffle(__builtin_bit_cast(float, bits), mask));
		bits = v > bits ? v : bits;
	}
	if (thread() % 32 == 0) {
		raise_to(to, bits);
	}
}
