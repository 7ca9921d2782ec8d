#include "conv.h"

// conv_direct is for groups of few filters, depthwise convolutions above all: a
// thread for each value.
KERNEL(256) void conv_direct(CONV_ARGS) {
	const Window window{h, kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x};
	const Entry in = table[block_y()];
	EACH_VALUE(channels) {
		PLACE_OF_VALUE(channels);
		const int group = k / filters, column = k % filters;
		const float *const mine = weights + (long)group * window.kernel_y * window.kernel_x * depth * columns + column;
		float sum = 0;
		for (int ky = 0; ky < window.kernel_y; ky++) {
			const int from_y = y * window.stride_y - window.pad_y + ky * window.dilation_y;
			if (from_y < 0 || from_y >= window.h) {
				continue;
			}
			for (int kx = 0; kx < window.kernel_x; kx++) {
				const int from_x = x * window.stride_x - window.pad_x + kx * window.dilation_x;
				if (from_x < 0 || from_x >= w) {
					continue;
				}
				const float *p = cell(view, data, in, w, c, from_y, from_x);
				if (!p) {
					continue;
				}
				for (int i = 0; i < depth; i++) {
					sum = __builtin_fmaf(p[group * depth + i], mine[(long)((ky * window.kernel_x + kx) * depth + i) * columns], sum);
				}
			}
		}
		sum += bias[group * columns + column];
		if (residual_table) {
			const Entry r = residual_table[block_y()];
			sum += value(residual_view, residual_data, r, residual_w, channels, y, x, k);
		}
		to[v] = clamp(sum, low, high);
	}
}

// reduce adds up the partial sums of a convolution in their order, and what comes
// behind.
KERNEL(256) void reduce(float *out, const float *partials, const float *bias, int rows, int channels, int parts, float low, float high) {
	const long values = (long)rows * channels;
	for (long v = (long)block_x() * threads() + thread(); v < values; v += (long)blocks_x() * threads()) {
		float sum = 0;
		for (int i = 0; i < parts; i++) {
			sum += partials[i * values + v];
		}
		out[v] = clamp(sum + bias[v % channels], low, high);
	}
}
