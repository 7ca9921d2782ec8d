#include "each.h"

// global_pool makes one cell of a map: the mean, the sum or the largest of each
// channel. Where base holds the clean image's cell, a mean or a sum is that and what
// the rectangle changes, unless nearly all of it would go or is not finite.
KERNEL(256) void global_pool(OUT, IN, int h, int fn, const float *base) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	const double n = fn == 0 ? (double)h * w : 1.0;
	each_value(THE_OUT, out_table[block_y()], c, false, PIECE {
		if (base && view && fn != 2 && cells(from) < h * w) {
			double changed = 0;
			for (int i = from.y0; i < from.y1; i++) {
				for (int j = from.x0; j < from.x1; j++) {
					changed += (double)in.value(from, i, j, k) - (double)view[((long)i * w + j) * c + k];
				}
			}
			const double sum = base[k] + changed / n, size = sum < 0 ? -sum : sum, was = base[k] < 0 ? -base[k] : base[k];
			if (size <= 1e300 && size >= was / 1024) {
				p.v[0] = (float)sum;
				return true;
			}
		}
		float largest = -__builtin_inff();
		double sum = 0;
		for (int i = 0; i < h; i++) {
			for (int j = 0; j < w; j++) {
				const float got = in.value(from, i, j, k);
				largest = larger(got, largest);
				sum += got;
			}
		}
		p.v[0] = fn == 2 ? largest : (float)(sum / n);
		return true;
	});
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

// largest raises what lies at to, the bits of a number, to the bits of the largest |value|.
// Bits of numbers that are not negative are in the numbers' order, those of NaN above all.
KERNEL(256) void largest(const float *from, int values, unsigned *to) {
	unsigned bits = 0;
	for (long i = block_x() * threads() + thread(); i < values; i += (long)blocks_x() * threads()) {
		const unsigned v = __builtin_bit_cast(unsigned, from[i]) & 0x7fffffff;
		bits = v > bits ? v : bits;
	}
	for (int mask = 16; mask; mask /= 2) {
		const unsigned v = __builtin_bit_cast(unsigned, shuffle(__builtin_bit_cast(float, bits), mask));
		bits = v > bits ? v : bits;
	}
	if (thread() % 32 == 0) {
		raise_to(to, bits);
	}
}
