// What the convolutions as matrix products share. Rows of the product are the cells
// of all positions, columns the filters of a group, and its sums run over the
// window: K = KernelY * KernelX * Depth values, row by row, channels last.
#pragma once
#include "functions.h"

struct Window {
	int h, kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x;
};

// The parameters of the conv_ kernels, and what they make of them: out, in, window, residual and
// ending.
#define CONV_ARGS \
	OUT, int rows, IN, \
	int h, int kernel_y, int kernel_x, int stride_y, int stride_x, int pad_y, int pad_x, int dilation_y, int dilation_x, \
	const float *weights, const float *bias, \
	const float *residual_view, const float *residual_data, const Entry *residual_table, int residual_w, int residual_c, int residual_pitch, \
	int depth, int filters, int columns, int channels, int split, ENDING
#define CONV_STRUCTS \
	const Out out = THE_OUT; \
	const Source in = THE_IN; \
	const Window window{h, kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x, dilation_y, dilation_x}; \
	const Source residual{residual_view, residual_data, residual_table, residual_w, residual_c, residual_pitch}; \
	const Ending ending = THE_ENDING
#define CONV_PARAMETERS \
	const Out &out, const Entry *out_table, int positions, int rows, const Source &in, const Window &window, \
	const float *weights, const float *bias, const Source &residual, int depth, int filters, int columns, int channels, int split, \
	const Ending &ending
#define CONV_NAMES \
	out, out_table, positions, rows, in, window, weights, bias, residual, depth, filters, columns, channels, split, ending

// Row is where a row of the product lies: the cell of a position, and its number among those
// that are written.
struct Row {
	int position, y, x, cell;
};

// row_of finds row r, counted from the first one of the table's first position. The search
// begins where the row were if all positions had the same number, and widens.
DEVICE Row row_of(const Entry *table, int positions, int rows, int r) {
	const int guess = (int)((float)r * (float)positions / (float)rows), begin = table[0].row;
	int lo = guess < positions ? guess : positions - 1, hi = lo + 1; // table[lo] begins at r or before, table[hi] behind
	for (int step = 1; lo > 0 && table[lo].row - begin > r; step *= 2) {
		hi = lo;
		lo = lo > step ? lo - step : 0;
	}
	for (int step = 1; hi < positions && table[hi].row - begin <= r; step *= 2) {
		lo = hi;
		hi = positions - hi > step ? hi + step : positions;
	}
	while (hi - lo > 1) {
		const int middle = (lo + hi) / 2;
		if (table[middle].row - begin <= r) {
			lo = middle;
		} else {
			hi = middle;
		}
	}
	const Entry e = table[lo];
	const int at = r - (e.row - begin), width = e.x1 - e.x0, y = e.y0 + at / width, x = e.x0 + at % width;
	return Row{lo, y, x, e.base + y * e.width + x};
}

// Reader walks along a row of the left matrix, some values at a time.
struct Reader {
	Source in;
	Entry e;
	int y, x; // of the window's first tap
	int ky, kx, k;
	bool valid;
};

// start sets a reader to value k of a row.
DEVICE void start(Reader &r, const Row &row, bool valid, const Source &in, const Window &window, int depth, int k) {
	r.in = in;
	r.valid = valid;
	r.e = in.table[row.position];
	r.y = row.y * window.stride_y - window.pad_y;
	r.x = row.x * window.stride_x - window.pad_x;
	int tap = k / depth;
	r.k = k % depth;
	r.ky = tap / window.kernel_x;
	r.kx = tap % window.kernel_x;
}

// advance moves a reader on.
DEVICE void advance(Reader &r, const Window &window, int depth, int by) {
	for (r.k += by; r.k >= depth; r.k -= depth) {
		if (++r.kx == window.kernel_x) {
			r.kx = 0;
			r.ky++;
		}
	}
}

// at is where the values from the reader's own on lie, null where they are zero.
DEVICE const float *at(const Reader &r, const Window &window, int channel) {
	int y = r.y + r.ky * window.dilation_y, x = r.x + r.kx * window.dilation_x;
	if (!r.valid || r.ky >= window.kernel_y || y < 0 || y >= window.h || x < 0 || x >= r.in.w) {
		return nullptr;
	}
	const float *p = r.in.cell(r.e, y, x);
	return p ? p + channel + r.k : nullptr;
}

// Where there is no view, rows of windows that no row of the tile has changed are left
// out: they would add zeros. limits cuts the values k_lo to k_hi accordingly.
DEVICE void limits(int *low_row, int *high_row, int n, const Window &window, int depth, int &k_lo, int &k_hi) {
	int lo = 1 << 30, hi = 0;
	for (int i = 0; i < n; i++) {
		lo = low_row[i] < lo ? low_row[i] : lo;
		hi = high_row[i] > hi ? high_row[i] : hi;
	}
	int values = window.kernel_x * depth;
	hi = hi < window.kernel_y ? hi : window.kernel_y;
	k_hi = hi * values < k_hi ? hi * values : k_hi;
	if (lo < hi) {
		k_lo = lo * values > k_lo ? lo * values : k_lo;
	}
	k_lo = k_lo < k_hi ? k_lo : k_hi;
}

// touched is which rows of its window a row finds changed.
DEVICE void touched(const Row &row, bool valid, const Entry *table, const Window &window, int &lo, int &hi) {
	lo = 1 << 30;
	hi = 0;
	if (!valid) {
		return;
	}
	const Entry e = table[row.position];
	if (cells(e) == 0) {
		return;
	}
	int y = row.y * window.stride_y - window.pad_y;
	lo = e.y0 > y ? (e.y0 - y) / window.dilation_y : 0;
	hi = e.y1 > y ? (e.y1 - y + window.dilation_y - 1) / window.dilation_y : 0;
}

// store ends N neighbouring sums of a row: bias, residual (add, null for none) and ending,
// unless they are partial sums. There are room values left in the row; where the filters of
// a group are a multiple of N, whole, all N are and lie at a multiple of their size.
template <int N>
DEVICE void store(float *to, const float *sum, const float *bias, const float *add, int room, bool whole, bool partial, const Ending &ending) {
	float v[N], more[N];
	__builtin_memcpy(v, sum, sizeof v);
	if (!partial) {
		__builtin_memcpy(more, __builtin_assume_aligned(bias, sizeof more), sizeof more);
#pragma unroll
		for (int i = 0; i < N; i++) {
			v[i] += more[i];
		}
		if (add && whole) {
			__builtin_memcpy(more, __builtin_assume_aligned(add, sizeof more), sizeof more);
#pragma unroll
			for (int i = 0; i < N; i++) {
				v[i] += more[i];
			}
		} else if (add) {
#pragma unroll
			for (int i = 0; i < N; i++) {
				v[i] += i < room ? add[i] : 0;
			}
		}
		ending.end<N>(v);
	}
	if (whole) {
		if constexpr (N == 4) {
			write4(to, v);
		} else {
			write2(to, v);
		}
		return;
	}
#pragma unroll
	for (int i = 0; i < N; i++) {
		if (i < room) {
			to[i] = v[i];
		}
	}
}
