#include "functions.h"

#define OUT float *out, const Entry *out_table, int positions
#define IN const float *view, const float *data, const Entry *table, int w, int c

// pool takes the largest value or the mean of each window; what lies outside of the
// map is left out, or counts as zeros up to the padding where count_pad is set.
KERNEL(256) void pool(OUT, IN, int h, int kernel_y, int kernel_x, int stride_y, int stride_x, int pad_y, int pad_x,
	int dilation_y, int dilation_x, int max, int count_pad, int after_y, int after_x) {
	const Entry in = table[block_y()];
	EACH_VALUE(c) {
		PLACE_OF_VALUE(c);
		float largest = -__builtin_inff(), sum = 0;
		int count = 0;
		for (int ky = 0; ky < kernel_y; ky++) {
			for (int kx = 0; kx < kernel_x; kx++) {
				const int from_y = y * stride_y - pad_y + ky * dilation_y, from_x = x * stride_x - pad_x + kx * dilation_x;
				if (from_y >= 0 && from_y < h && from_x >= 0 && from_x < w) {
					const float got = value(view, data, in, w, c, from_y, from_x, k);
					largest = larger(got, largest);
					sum += got;
					count++;
				} else if (count_pad && from_y < h + after_y && from_x < w + after_x) {
					count++;
				}
			}
		}
		to[v] = max ? largest : sum / (float)count;
	}
}

// binary combines two maps; one whose height, width or number of channels is 1 is
// repeated along that axis.
KERNEL(256) void binary(OUT, int channels, const float *view, const float *data, const Entry *table, int w, int c, int h,
	const float *b_view, const float *b_data, const Entry *b_table, int b_w, int b_c, int b_h, int fn, float low, float high) {
	const Entry in_a = table[block_y()], in_b = b_table[block_y()];
	EACH_VALUE(channels) {
		PLACE_OF_VALUE(channels);
		const float a = value(view, data, in_a, w, c, h == 1 ? 0 : y, w == 1 ? 0 : x, c == 1 ? 0 : k);
		const float b = value(b_view, b_data, in_b, b_w, b_c, b_h == 1 ? 0 : y, b_w == 1 ? 0 : x, b_c == 1 ? 0 : k);
		float r;
		switch (fn) {
		case 0: r = a + b; break;
		case 1: r = a - b; break;
		case 2: r = a * b; break;
		case 3: r = a / b; break;
		case 4: r = larger(a, b); break;
		case 5: r = smaller(a, b); break;
		default: r = power(a, b);
		}
		to[v] = clamp(r, low, high);
	}
}

// affine scales and shifts by channel, only negative values where negative is set.
KERNEL(256) void affine(OUT, IN, const float *scale, const float *shift, int negative, float low, float high) {
	const Entry in = table[block_y()];
	EACH_VALUE(c) {
		PLACE_OF_VALUE(c);
		const float got = value(view, data, in, w, c, y, x, k);
		const float r = negative ? (got < 0 ? got * scale[k] : got) : __builtin_fmaf(got, scale[k], shift[k]);
		to[v] = clamp(r, low, high);
	}
}

// activate applies a function to values in place.
KERNEL(256) void activate(float *data, long values, int fn, float alpha, float beta) {
	for (long v = (long)block_x() * threads() + thread(); v < values; v += (long)blocks_x() * threads()) {
		data[v] = apply(fn, data[v], alpha, beta);
	}
}

// lrn divides each value by a power of the energy of its neighbouring channels.
KERNEL(256) void lrn(OUT, IN, int size, float alpha, float beta, float bias) {
	const Entry in = table[block_y()];
	EACH_VALUE(c) {
		PLACE_OF_VALUE(c);
		const float *const p = cell(view, data, in, w, c, y, x);
		float sum = 0;
		for (int i = k - (size - 1) / 2; i < k - (size - 1) / 2 + size; i++) {
			if (i >= 0 && i < c) {
				sum = __builtin_fmaf(p[i], p[i], sum);
			}
		}
		const float base = bias + alpha / (float)size * sum;
		const float root = __builtin_sqrtf(base);
		to[v] = p[k] / (beta == 0.75f ? root * __builtin_sqrtf(root) : power(base, beta));
	}
}

// place writes cells of a source, or picked channels of them, into the channels from
// start on.
KERNEL(256) void place(OUT, int channels, IN, int start, int n, const int *index, float low, float high) {
	const Entry in = table[block_y()], e = out_table[block_y()];
	const int width = e.x1 - e.x0;
	const int values = cells(e) * n;
	for (int v = block_x() * threads() + thread(); v < values; v += blocks_x() * threads()) {
		const int at = v / n, k = v % n;
		out[(long)(first(e) + at) * channels + start + k] =
			clamp(value(view, data, in, w, c, e.y0 + at / width, e.x0 + at % width, index ? index[k] : k), low, high);
	}
}

// slice crops and skips rows and columns.
KERNEL(256) void slice(OUT, IN, int start_y, int step_y, int start_x, int step_x) {
	const Entry in = table[block_y()];
	EACH_VALUE(c) {
		PLACE_OF_VALUE(c);
		to[v] = value(view, data, in, w, c, start_y + y * step_y, start_x + x * step_x, k);
	}
}

// pad_from is the place along an axis of n cells that place o of the padded one
// shows, below zero where there is none.
DEVICE int pad_from(int o, int n, int before, int mode) {
	const int i = o - before;
	if (i >= 0 && i < n) {
		return i;
	}
	if (mode == 1) {
		return i < 0 ? 0 : n - 1;
	}
	if (mode == 2) {
		return i < 0 ? -i : 2 * (n - 1) - i;
	}
	return -1;
}

// pad surrounds a map with cells: of a value, of those at its border, mirrored.
KERNEL(256) void pad(OUT, IN, int h, int top, int left, int mode, float fill) {
	const Entry in = table[block_y()];
	EACH_VALUE(c) {
		PLACE_OF_VALUE(c);
		const int from_y = pad_from(y, h, top, mode), from_x = pad_from(x, w, left, mode);
		to[v] = from_y < 0 || from_x < 0 ? fill : value(view, data, in, w, c, from_y, from_x, k);
	}
}

// How kernels that need all channels of a cell begin: a warp takes a cell.
#define EACH_CELL \
	const Entry e = out_table[block_y()], in = table[block_y()]; \
	const int width = e.x1 - e.x0, lane = thread() % 32; \
	for (int at = (block_x() * threads() + thread()) / 32; at < cells(e); at += blocks_x() * threads() / 32)

// warp_sum and warp_largest combine the values of a warp's lanes.
DEVICE float warp_sum(float v) {
	for (int mask = 16; mask; mask /= 2) {
		v += shuffle(v, mask);
	}
	return v;
}

DEVICE float warp_largest(float v) {
	for (int mask = 16; mask; mask /= 2) {
		v = larger(v, shuffle(v, mask));
	}
	return v;
}

// softmax makes probabilities of a cell's channels, or their logarithms.
KERNEL(256) void softmax(OUT, IN, int log) {
	EACH_CELL {
		const float *const from = cell(view, data, in, w, c, e.y0 + at / width, e.x0 + at % width);
		float *const to = out + (long)(first(e) + at) * c;
		float largest = -__builtin_inff(), sum = 0;
		for (int k = lane; k < c; k += 32) {
			largest = larger(from[k], largest);
		}
		largest = warp_largest(largest);
		for (int k = lane; k < c; k += 32) {
			sum += exp_(from[k] - largest);
		}
		sum = warp_sum(sum);
		for (int k = lane; k < c; k += 32) {
			to[k] = log ? from[k] - largest - log_(sum) : exp_(from[k] - largest) / sum;
		}
	}
}

// channel_reduce makes one channel of many: their mean, sum or largest.
KERNEL(256) void channel_reduce(OUT, IN, int fn) {
	EACH_CELL {
		const float *const from = cell(view, data, in, w, c, e.y0 + at / width, e.x0 + at % width);
		float largest = -__builtin_inff(), sum = 0;
		for (int k = lane; k < c; k += 32) {
			largest = larger(from[k], largest);
			sum += from[k];
		}
		largest = warp_largest(largest);
		sum = warp_sum(sum);
		if (lane == 0) {
			out[first(e) + at] = fn == 2 ? largest : fn == 1 ? sum : sum / (float)c;
		}
	}
}
