#include "conv.h"

// The tile of a block: 128 rows and as many columns, 8 values of K at a time. Each of
// 256 threads holds 8 rows of a few columns: 4 rows, and 4 more 64 further on, and
// the same along the columns, so that neighbours read neighbouring shared memory.
// conv_ffma computes its tile with one multiply-add after the other, in the order of
// K: as exact as float32 sums are. The next values are on their way from memory to
// registers while the present ones, in shared memory, are multiplied.
template <int COLUMNS, bool VECTOR>
DEVICE void conv_ffma(CONV_PARAMETERS) {
	enum { ROWS = 128, STEP = 8, PITCH = ROWS + 4, WIDE = COLUMNS / 64 };
	alignas(16) SHARED float a[2][STEP][PITCH];
	alignas(16) SHARED float b[2][STEP][COLUMNS];
	SHARED Row where[ROWS];
	SHARED int low_row[ROWS], high_row[ROWS];
	const int t = thread(), tx = t % 16, ty = t / 16;
	const int row0 = block_x() * ROWS, column0 = block_y() * COLUMNS;
	const int group = split ? 0 : block_z();
	const int all = window.kernel_y * window.kernel_x * depth;
	int k_lo = split ? block_z() * split : 0, k_hi = split && k_lo + split < all ? k_lo + split : all;

	if (t < ROWS) {
		const bool valid = row0 + t < rows;
		where[t] = row_of(out_table, positions, rows, valid ? row0 + t : rows - 1);
		touched(where[t], valid, in.table, window, low_row[t], high_row[t]);
	}
	barrier();
	if (!in.view) {
		limits(low_row, high_row, ROWS, window, depth, k_lo, k_hi);
	}

	// Each thread brings 4 values of a row, and 4 filters of a k.
	const int my_row = t / 2, my_k = t % 2 * 4;
	const int b_k = t / (COLUMNS / 4), b_column = t % (COLUMNS / 4) * 4;
	Reader reader;
	start(reader, where[my_row], row0 + my_row < rows, in, window, depth, k_lo + my_k);
	const float *const my_weights = weights + (long)group * all * columns + column0 + b_column;
	float next_a[4], next_b[4];

	auto fetch = [&](int k) {
		for (int i = 0; i < 4; i++) {
			next_a[i] = next_b[i] = 0;
		}
		if constexpr (VECTOR) {
			const float *p = k + my_k < k_hi ? at(reader, window, group * depth) : nullptr;
			if (p) {
				__builtin_memcpy(next_a, __builtin_assume_aligned(p, 16), 16);
			}
			advance(reader, window, depth, STEP);
		} else {
			for (int i = 0; i < 4; i++) {
				const float *p = k + my_k + i < k_hi ? at(reader, window, group * depth) : nullptr;
				next_a[i] = p ? *p : 0;
				advance(reader, window, depth, 1);
			}
			advance(reader, window, depth, STEP - 4);
		}
		if (b_k < STEP && k + b_k < k_hi && column0 + b_column < columns) {
			__builtin_memcpy(next_b, __builtin_assume_aligned(my_weights + (long)(k + b_k) * columns, 16), 16);
		}
	};
	auto keep = [&](int stage) {
		for (int i = 0; i < 4; i++) {
			a[stage][my_k + i][my_row] = next_a[i];
		}
		if (b_k < STEP) {
			__builtin_memcpy(__builtin_assume_aligned(&b[stage][b_k][b_column], 16), next_b, 16);
		}
	};

	float sum[8][WIDE * 4] = {};
	fetch(k_lo);
	keep(0);
	barrier();
	int stage = 0;
	for (int k = k_lo; k < k_hi; k += STEP, stage ^= 1) {
		if (k + STEP < k_hi) {
			fetch(k + STEP);
		}
#pragma unroll
		for (int i = 0; i < STEP; i++) {
			float left[8], right[WIDE * 4];
#pragma unroll
			for (int j = 0; j < 2; j++) {
				__builtin_memcpy(left + 4 * j, __builtin_assume_aligned(&a[stage][i][ty * 4 + 64 * j], 16), 16);
			}
#pragma unroll
			for (int j = 0; j < WIDE; j++) {
				__builtin_memcpy(right + 4 * j, __builtin_assume_aligned(&b[stage][i][tx * 4 + 64 * j], 16), 16);
			}
#pragma unroll
			for (int m = 0; m < 8; m++) {
#pragma unroll
				for (int n = 0; n < WIDE * 4; n++) {
					sum[m][n] = __builtin_fmaf(left[m], right[n], sum[m][n]);
				}
			}
		}
		if (k + STEP < k_hi) {
			keep(stage ^ 1);
		}
		barrier();
	}

	float *const to = out.data + (split ? (long)block_z() * rows * channels : group * filters);
#pragma unroll
	for (int m = 0; m < 8; m++) {
		const int r = ty * 4 + m % 4 + m / 4 * 64;
		if (row0 + r >= rows) {
			continue;
		}
		float *const mine = to + (split ? (long)(row0 + r) * channels : (long)where[r].cell * out.pitch);
		const float *add = nullptr;
		if (residual.table) {
			const Row p = where[r];
			const Entry e = residual.table[p.position];
			add = residual.cell(e, p.y, p.x);
		}
#pragma unroll
		for (int n = 0; n < WIDE; n++) {
			const int column = column0 + tx * 4 + n * 64;
			if (column < filters) {
				store<4>(mine + column, sum[m] + 4 * n, bias + group * columns + column,
					add ? add + group * filters + column : nullptr, filters - column, filters % 4 == 0, split, ending);
			}
		}
	}
}

KERNEL2(256, 2) void conv_ffma_128(CONV_ARGS) {
	CONV_STRUCTS;
	conv_ffma<128, true>(CONV_NAMES);
}
KERNEL2(256, 2) void conv_ffma_64(CONV_ARGS) {
	CONV_STRUCTS;
	conv_ffma<64, true>(CONV_NAMES);
}
KERNEL2(256, 2) void conv_ffma_odd(CONV_ARGS) {
	CONV_STRUCTS;
	conv_ffma<64, false>(CONV_NAMES);
}
