#include "conv.h"

// The tile of a block: 128 rows and 128 columns, 16 values of K at a time, for 8 warps
// that take 64 rows and 32 columns each. The pitches keep the lanes of a warp, who
// read a fragment together, on different banks.
// conv_tf32 computes its tile on tensor cores. These take tf32, which has 10 bits
// behind the point; so every value is split into a large part and what is left, and
// three of the four products are added, the small ones first:
//
//	x y = (X + u) (Y + v) with X = tf32(x), u = tf32(x - X), ..., less u v
//
// What is left out is below 2^-21 of a product. Copies to shared memory are
// asynchronous, a step ahead.
KERNEL2(256, 2) void conv_tf32(CONV_ARGS) {
	enum { ROWS = 128, COLUMNS = 128, STEP = 16, PITCH_A = STEP + 4, PITCH_B = COLUMNS + 8 };
	CONV_STRUCTS;
	alignas(16) SHARED float a[2][ROWS][PITCH_A];
	alignas(16) SHARED float b[2][STEP][PITCH_B];
	SHARED Row where[ROWS];
	SHARED int low_row[ROWS], high_row[ROWS];
	const int t = thread(), lane = t % 32, warp = t / 32, g = lane / 4, l = lane % 4;
	const int warp_row = warp / 4 * 64, warp_column = warp % 4 * 32;
	const int row0 = block_x() * ROWS, column0 = block_y() * COLUMNS;
	const int group = split ? 0 : block_z();
	const int all = kernel_y * kernel_x * depth;
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

	// Each thread brings 4 values of two rows, and 4 filters of two k.
	const int my_row = t / 4, my_k = t % 4 * 4, b_k = t / 32, b_column = t % 32 * 4;
	Reader readers[2];
#pragma unroll
	for (int i = 0; i < 2; i++) {
		const int r = my_row + 64 * i;
		start(readers[i], where[r], row0 + r < rows, in, window, depth, k_lo + my_k);
	}
	const float *const my_weights = weights + (long)group * all * columns + column0 + b_column;
	const bool has_column = column0 + b_column < columns;

	auto fetch = [&](int stage, int k) {
#pragma unroll
		for (int i = 0; i < 2; i++) {
			const float *p = k + my_k < k_hi ? at(readers[i], window, group * depth) : nullptr;
			copy_async(&a[stage][my_row + 64 * i][my_k], p ? p : weights, !p);
			advance(readers[i], window, depth, STEP);
			const bool has = has_column && k + b_k + 8 * i < k_hi;
			copy_async(&b[stage][b_k + 8 * i][b_column], has ? my_weights + (long)(k + b_k + 8 * i) * columns : weights, !has);
		}
		copies_commit();
	};

	float sum[4][4][4] = {};
	fetch(0, k_lo);
	copies_wait();
	barrier();
	int stage = 0;
	for (int k = k_lo; k < k_hi; k += STEP, stage ^= 1) {
		if (k + STEP < k_hi) {
			fetch(stage ^ 1, k + STEP);
		}
#pragma unroll
		for (int i = 0; i < STEP; i += 8) {
			float right[4][2], right_rest[4][2];
#pragma unroll
			for (int n = 0; n < 4; n++) {
#pragma unroll
				for (int j = 0; j < 2; j++) {
					const float v = b[stage][i + l + 4 * j][warp_column + 8 * n + g];
					right[n][j] = tf32(v);
					right_rest[n][j] = tf32(v - right[n][j]);
				}
			}
#pragma unroll
			for (int m = 0; m < 4; m++) {
				float left[4], left_rest[4];
#pragma unroll
				for (int j = 0; j < 4; j++) {
					const float v = a[stage][warp_row + 16 * m + g + j % 2 * 8][i + l + j / 2 * 4];
					left[j] = tf32(v);
					left_rest[j] = tf32(v - left[j]);
				}
#pragma unroll
				for (int n = 0; n < 4; n++) {
					mma(sum[m][n], left_rest, right[n]);
					mma(sum[m][n], left, right_rest[n]);
					mma(sum[m][n], left, right[n]);
				}
			}
		}
		copies_wait();
		barrier();
	}

	float *const to = out.data + (split ? (long)block_z() * rows * channels : group * filters);
#pragma unroll
	for (int m = 0; m < 4; m++) {
#pragma unroll
		for (int half = 0; half < 2; half++) {
			const int r = warp_row + 16 * m + g + 8 * half;
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
			for (int n = 0; n < 4; n++) {
				const int column = column0 + warp_column + n * 8 + 2 * l;
				if (column < filters) {
					store<2>(mine + column, sum[m][n] + 2 * half, bias + group * columns + column,
						add ? add + group * filters + column : nullptr, filters - column, filters % 2 == 0, split, ending);
				}
			}
		}
	}
}
