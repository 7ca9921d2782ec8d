#include "each.h"

// pool takes the largest value or the mean of each window; what lies outside of the
// map is left out, or counts as zeros up to the padding where count_pad is set.
KERNEL(256) void pool(OUT, IN, int h, int kernel_y, int kernel_x, int stride_y, int stride_x, int pad_y, int pad_x,
	int dilation_y, int dilation_x, int max, int count_pad, int after_y, int after_x) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	each_value(THE_OUT, out_table[block_y()], c, c % 4 == 0, PIECE {
		Piece<N> largest, sum = {};
#pragma unroll
		for (int i = 0; i < N; i++) {
			largest.v[i] = -__builtin_inff();
		}
		int count = 0;
		for (int ky = 0; ky < kernel_y; ky++) {
			for (int kx = 0; kx < kernel_x; kx++) {
				const int from_y = y * stride_y - pad_y + ky * dilation_y, from_x = x * stride_x - pad_x + kx * dilation_x;
				if (from_y >= 0 && from_y < h && from_x >= 0 && from_x < w) {
					const float *const cell = in.cell(from, from_y, from_x);
					const Piece<N> got = load<N>(cell ? cell + k : nullptr);
#pragma unroll
					for (int i = 0; i < N; i++) {
						largest.v[i] = larger(got.v[i], largest.v[i]);
						sum.v[i] += got.v[i];
					}
					count++;
				} else if (count_pad && from_y < h + after_y && from_x < w + after_x) {
					count++;
				}
			}
		}
#pragma unroll
		for (int i = 0; i < N; i++) {
			p.v[i] = max ? largest.v[i] : sum.v[i] / (float)count;
		}
		return true;
	});
}

// arithmetic is function number op of kernels.Arithmetic.
DEVICE float arithmetic(int op, float a, float b) {
	switch (op) {
	case 0: return a + b;
	case 1: return a - b;
	case 2: return a * b;
	case 3: return a / b;
	case 4: return larger(a, b);
	case 5: return smaller(a, b);
	}
	return power(a, b);
}

// repeated is a piece of a map whose height, width or number of channels may be 1: then that
// is what stands there all along the axis.
template <int N> DEVICE Piece<N> repeated(const Source &in, const Entry &e, int h, int y, int x, int k) {
	const float *const from = in.cell(e, h == 1 ? 0 : y, in.w == 1 ? 0 : x);
	if (in.c != 1) {
		return load<N>(from ? from + k : nullptr);
	}
	const float v = from ? *from : 0;
	Piece<N> p;
#pragma unroll
	for (int i = 0; i < N; i++) {
		p.v[i] = v;
	}
	return p;
}

// binary combines two maps.
KERNEL(256) void binary(OUT, int channels, IN, int h,
	const float *b_view, const float *b_data, const Entry *b_table, int b_w, int b_c, int b_pitch, int b_h, int op, ENDING) {
	const Source in_a = THE_IN, in_b{b_view, b_data, b_table, b_w, b_c, b_pitch};
	const Entry e_a = table[block_y()], e_b = b_table[block_y()];
	const Ending ending = THE_ENDING;
	each_value(THE_OUT, out_table[block_y()], channels, channels % 4 == 0, PIECE {
		const Piece<N> a = repeated<N>(in_a, e_a, h, y, x, k), b = repeated<N>(in_b, e_b, b_h, y, x, k);
		for (int i = 0; i < N; i++) {
			p.v[i] = arithmetic(op, a.v[i], b.v[i]);
		}
		ending.end<N>(p.v);
		return true;
	});
}

// affine scales and shifts by channel, only negative values where negative is set.
KERNEL(256) void affine(OUT, IN, const float *scale, const float *shift, int negative, ENDING) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	const Ending ending = THE_ENDING;
	each_value(THE_OUT, out_table[block_y()], c, c % 4 == 0, PIECE {
		const float *const cell = in.cell(from, y, x);
		const Piece<N> got = load<N>(cell ? cell + k : nullptr), by = load<N>(scale + k), plus = load<N>(negative ? nullptr : shift + k);
#pragma unroll
		for (int i = 0; i < N; i++) {
			p.v[i] = !negative ? __builtin_fmaf(got.v[i], by.v[i], plus.v[i]) : got.v[i] < 0 ? got.v[i] * by.v[i] : got.v[i];
		}
		ending.end<N>(p.v);
		return true;
	});
}

// lrn divides each value by a power of the energy of its neighbouring channels.
KERNEL(256) void lrn(OUT, IN, int size, float alpha, float beta, float bias) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	each_value(THE_OUT, out_table[block_y()], c, false, PIECE {
		const float *const cell = in.cell(from, y, x);
		float sum = 0;
		for (int i = k - (size - 1) / 2; i < k - (size - 1) / 2 + size; i++) {
			if (i >= 0 && i < c) {
				sum = __builtin_fmaf(cell[i], cell[i], sum);
			}
		}
		const float base = bias + alpha / (float)size * sum;
		const float root = __builtin_sqrtf(base);
		p.v[0] = cell[k] / (beta == 0.75f ? root * __builtin_sqrtf(root) : power(base, beta));
		return true;
	});
}

// place writes cells of a source, or picked channels of them, where the output begins; only
// those that have not changed, where missing is set.
KERNEL(256) void place(OUT, IN, int n, const int *index, int missing, ENDING) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	const Ending ending = THE_ENDING;
	each_value(THE_OUT, out_table[block_y()], n, n % 4 == 0 && out_pitch % 4 == 0 && (unsigned long)out_data % 16 == 0 && !index, PIECE {
		if (missing && has(from, y, x)) {
			return false;
		}
		const float *const cell = in.cell(from, y, x);
		if (index) {
			p.v[0] = cell ? cell[index[k]] : 0;
		} else {
			p = load<N>(cell ? cell + k : nullptr);
		}
		ending.end<N>(p.v);
		return true;
	});
}

// slice crops and skips rows and columns.
KERNEL(256) void slice(OUT, IN, int start_y, int step_y, int start_x, int step_x) {
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	each_value(THE_OUT, out_table[block_y()], c, c % 4 == 0, PIECE {
		const float *const cell = in.cell(from, start_y + y * step_y, start_x + x * step_x);
		p = load<N>(cell ? cell + k : nullptr);
		return true;
	});
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
	const Source in = THE_IN;
	const Entry from = table[block_y()];
	each_value(THE_OUT, out_table[block_y()], c, c % 4 == 0, PIECE {
		const int from_y = pad_from(y, h, top, mode), from_x = pad_from(x, w, left, mode);
		if (from_y < 0 || from_x < 0) {
#pragma unroll
			for (int i = 0; i < N; i++) {
				p.v[i] = fill;
			}
		} else {
			const float *const cell = in.cell(from, from_y, from_x);
			p = load<N>(cell ? cell + k : nullptr);
		}
		return true;
	});
}

// How kernels that need all channels of a cell begin: a warp takes a cell.
#define EACH_CELL \
	const Source in = THE_IN; \
	const Out out = THE_OUT; \
	const Entry e = out_table[block_y()], from_entry = table[block_y()]; \
	const int width = e.x1 - e.x0, lane = thread() % 32; \
	for (int at = (block_x() * threads() + thread()) / 32; at < cells(e); at += blocks_x() * threads() / 32)
#define CELL_PLACE \
	const int y = e.y0 + at / width, x = e.x0 + at % width; \
	const float *const from = in.cell(from_entry, y, x); \
	float *const to = out.cell(e, y, x)

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
		CELL_PLACE;
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
		CELL_PLACE;
		float largest = -__builtin_inff(), sum = 0;
		for (int k = lane; k < c; k += 32) {
			largest = larger(from[k], largest);
			sum += from[k];
		}
		largest = warp_largest(largest);
		sum = warp_sum(sum);
		if (lane == 0) {
			*to = fn == 2 ? largest : fn == 1 ? sum : sum / (float)c;
		}
	}
}
