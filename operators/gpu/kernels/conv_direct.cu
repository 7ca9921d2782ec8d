#include "conv.h"
#include "each.h"

// taps shows, for a cell of the output, the cells under its window that are not zero, with
// the number of each.
template <class Show> DEVICE void taps(const Source &in, const Entry &e, const Window &window, int y, int x, Show show) {
	for (int ky = 0; ky < window.kernel_y; ky++) {
		const int from_y = y * window.stride_y - window.pad_y + ky * window.dilation_y;
		if (from_y < 0 || from_y >= window.h) {
			continue;
		}
		for (int kx = 0; kx < window.kernel_x; kx++) {
			const int from_x = x * window.stride_x - window.pad_x + kx * window.dilation_x;
			if (from_x < 0 || from_x >= in.w) {
				continue;
			}
			if (const float *p = in.cell(e, from_y, from_x)) {
				show(p, ky * window.kernel_x + kx);
			}
		}
	}
}

// conv_direct is for groups of few filters: a thread for each value.
KERNEL(256) void conv_direct(CONV_ARGS) {
	CONV_STRUCTS;
	const Entry e = in.table[block_y()];
	each_value(out, out_table[block_y()], channels, false, PIECE {
		const int group = k / filters, column = k % filters;
		const float *const mine = weights + (long)group * window.kernel_y * window.kernel_x * depth * columns + column;
		float sum = 0;
		taps(in, e, window, y, x, [&](const float *from, int tap) {
			for (int i = 0; i < depth; i++) {
				sum = __builtin_fmaf(from[group * depth + i], mine[(long)(tap * depth + i) * columns], sum);
			}
		});
		p.v[0] = sum + bias[group * columns + column];
		if (residual.table) {
			p.v[0] += residual.value(residual.table[block_y()], y, x, k);
		}
		ending.end<N>(p.v);
		return true;
	});
}

// conv_depthwise is for groups of one channel and one filter, whose weights stand tap by tap,
// channels last.
KERNEL(256) void conv_depthwise(CONV_ARGS) {
	CONV_STRUCTS;
	const Entry e = in.table[block_y()];
	each_value(out, out_table[block_y()], channels, channels % 4 == 0, PIECE {
		p = {};
		taps(in, e, window, y, x, [&](const float *from, int tap) {
			const Piece<N> v = load<N>(from + k), w = load<N>(weights + (long)tap * channels + k);
#pragma unroll
			for (int i = 0; i < N; i++) {
				p.v[i] = __builtin_fmaf(v.v[i], w.v[i], p.v[i]);
			}
		});
		const Piece<N> b = load<N>(bias + k);
#pragma unroll
		for (int i = 0; i < N; i++) {
			p.v[i] += b.v[i];
		}
		if (residual.table) {
			const float *const from = residual.cell(residual.table[block_y()], y, x);
			const Piece<N> r = load<N>(from ? from + k : nullptr);
#pragma unroll
			for (int i = 0; i < N; i++) {
				p.v[i] += r.v[i];
			}
		}
		ending.end<N>(p.v);
		return true;
	});
}

// reduce adds up the partial sums of a convolution in their order, and what comes
// behind.
KERNEL(256) void reduce(OUT, int rows, const float *partials, const float *bias, int channels, int parts, ENDING) {
	const Ending ending = THE_ENDING;
	const Entry e = out_table[block_y()];
	const long first = (e.row - out_table[0].row) * (long)channels, all = (long)rows * channels;
	each_value(THE_OUT, e, channels, channels % 4 == 0, PIECE {
		const long at = first + ((long)(y - e.y0) * (e.x1 - e.x0) + x - e.x0) * channels + k;
		p = {};
		for (int i = 0; i < parts; i++) {
			const Piece<N> part = load<N>(partials + i * all + at);
#pragma unroll
			for (int j = 0; j < N; j++) {
				p.v[j] += part.v[j];
			}
		}
		const Piece<N> b = load<N>(bias + k);
#pragma unroll
		for (int j = 0; j < N; j++) {
			p.v[j] += b.v[j];
		}
		ending.end<N>(p.v);
		return true;
	});
}
