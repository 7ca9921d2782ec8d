#include "functions.h"

#define OUT float *out, const Entry *out_table, int positions
#define IN const float *view, const float *data, const Entry *table, int w, int c

// global_pool makes one cell of a map: the mean, the sum or the largest of each
// channel. Where base holds the clean image's cell, a mean or a sum is that and what
// the rectangle changes, unless nearly all of it would go or is not finite.
KERNEL(256) void global_pool(OUT, IN, int h, int fn, const float *base) {
	const Entry in = table[block_y()];
	EACH_VALUE(c) {
		const int k = v;
		const double n = fn == 0 ? (double)h * w : 1.0;
		if (base && view && fn != 2 && cells(in) < h * w) {
			double changed = 0;
			for (int y = in.y0; y < in.y1; y++) {
				for (int x = in.x0; x < in.x1; x++) {
					changed += (double)data[(long)(in.base + y * in.width + x) * c + k] - (double)view[((long)y * w + x) * c + k];
				}
			}
			const double sum = base[k] + changed / n, size = sum < 0 ? -sum : sum, was = base[k] < 0 ? -base[k] : base[k];
			if (size <= 1e300 && size >= was / 1024) {
				to[v] = (float)sum;
				continue;
			}
		}
		float largest = -__builtin_inff();
		double sum = 0;
		for (int y = 0; y < h; y++) {
			for (int x = 0; x < w; x++) {
				const float got = value(view, data, in, w, c, y, x, k);
				largest = larger(got, largest);
				sum += got;
			}
		}
		to[v] = fn == 2 ? largest : (float)(sum / n);
	}
}

// instance_norm normalizes each channel by its mean and variance over the map.
KERNEL(256) void instance_norm(OUT, IN, int h, const float *scale, const float *shift, float epsilon) {
	const Entry e = out_table[block_y()], in = table[block_y()];
	const double n = (double)h * w;
	for (int k = block_x() * threads() + thread(); k < c; k += blocks_x() * threads()) {
		double mean = 0, variance = 0;
		for (int i = 0; i < h * w; i++) {
			mean += value(view, data, in, w, c, i / w, i % w, k);
		}
		mean /= n;
		for (int i = 0; i < h * w; i++) {
			const double d = value(view, data, in, w, c, i / w, i % w, k) - mean;
			variance += d * d;
		}
		const double by = scale[k] / __builtin_sqrt(variance / n + epsilon);
		for (int i = 0; i < cells(e); i++) {
			const int y = e.y0 + i / (e.x1 - e.x0), x = e.x0 + i % (e.x1 - e.x0);
			out[(long)(first(e) + i) * c + k] = (float)((value(view, data, in, w, c, y, x, k) - mean) * by + shift[k]);
		}
	}
}

// rearrange shows a map's values in another order: 0 from a map to a vector in ONNX's
// order, which is channel, row, column; 1 the same backwards; 2 as they are stored.
KERNEL(256) void rearrange(OUT, int h, int wide, int channels, IN, int in_h, int mode) {
	const Entry in = table[block_y()];
	EACH_VALUE(channels) {
		PLACE_OF_VALUE(channels);
		int i; // in the order in which the input is stored
		if (mode == 0) {
			i = k % (in_h * w) * c + k / (in_h * w);
		} else if (mode == 1) {
			i = (k * h + y) * wide + x;
		} else {
			i = (y * wide + x) * channels + k;
		}
		to[v] = value(view, data, in, w, c, i / c / w, i / c % w, i % c);
	}
}
