#include "conv.h"

// conv_f16x3 computes its tile on tensor cores, which multiply numbers of fp16, exactly, and
// add in float32. Every value is scaled by a power of two and split into a large part and
// what is left; three of the four products are added:
//
//	x y = (X + u) (Y + v) with X = fp16(x), u = fp16(x - X), ..., less u v
//
// What is left out is below 2^-22 of a product. Tensor cores cut off what does not fit into a
// sum, so they add up only the products of 16 values of K; such sums are added as float32
// numbers are.
//
// The tile of a block: 64 rows for each of WARPS_M warps, 64 columns for each of WARPS_N, 16
// values of K at a time. Asynchronous copies are STAGES - 1 steps ahead: of rows as they lie in
// memory, split by each warp that multiplies them, and of weights, which were split and laid
// out as lanes hold them. Within 16 values of K a lane multiplies those that lie next to each
// other, 4t to 4t+3, where the instruction speaks of 2t, 2t+1, 2t+8 and 2t+9: the order of a
// sum is free, so a row is read 16 bytes at a time, and 8 lanes read 128 bytes that lie
// together. A tap has a multiple of 16 values, deep, the last of which are zeros.
//
// A sum goes over piece values of a tap, over those of all other taps, then over the next ones.
// For windows overlap: what a block reads of a map for one tap it reads for the next ones, too,
// and so little of it stays in the first-level cache.

// scaling is the power of two that brings a layer's input, of which the largest value of the
// clean image is known by its bits, below 2^11; 1 where that is zero.
DEVICE void scaling(unsigned largest, float &scale, float &unscale) {
	int exponent = largest ? 264 - (int)(largest >> 23) : 127;
	exponent = exponent < 1 ? 1 : exponent > 253 ? 253 : exponent;
	scale = __builtin_bit_cast(float, exponent << 23);
	unscale = __builtin_bit_cast(float, (254 - exponent) << 23);
}

// split4 splits 4 values of a row.
DEVICE void split4(const float *x, float scale, unsigned &big0, unsigned &big1, unsigned &rest0, unsigned &rest1) {
	float v[4], b[4];
	__builtin_memcpy(v, __builtin_assume_aligned(x, 16), 16);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		v[i] *= scale;
	}
	big0 = halves(v[0], v[1]);
	big1 = halves(v[2], v[3]);
	floats(big0, b[0], b[1]);
	floats(big1, b[2], b[3]);
	rest0 = halves(v[0] - b[0], v[1] - b[1]);
	rest1 = halves(v[2] - b[2], v[3] - b[3]);
}

template <int WARPS_M, int WARPS_N, int STAGES>
DEVICE void conv_f16x3(CONV_PARAMETERS, const unsigned *largest, const float *unscales, int piece) {
	enum {
		THREADS = 32 * WARPS_M * WARPS_N, ROWS = 64 * WARPS_M, COLUMNS = 64 * WARPS_N, STEP = 16,
		STAGE = (ROWS + COLUMNS) * STEP, // floats; a word holds a weight's two parts
	};
	SHARED const float *lies[2][ROWS]; // where a tap's values of each row are, for this tap and the next
	SHARED Row where[ROWS];
	SHARED int low_row[ROWS], high_row[ROWS];
	const int t = thread(), lane = t % 32, warp = t / 32, g = lane / 4, l = lane % 4;
	const int warp_row = warp / WARPS_N * 64, warp_column = warp % WARPS_N * 64;
	const int row0 = block_x() * ROWS, column0 = block_y() * COLUMNS;
	const int group = split ? 0 : block_z();
	const int deep = (depth + STEP - 1) / STEP * STEP, all = window.kernel_y * window.kernel_x * deep;
	int k_lo = split ? block_z() * split : 0, k_hi = split && k_lo + split < all ? k_lo + split : all;

	for (int r = t; r < ROWS; r += THREADS) {
		const bool valid = row0 + r < rows;
		where[r] = row_of(out_table, positions, rows, valid ? row0 + r : rows - 1);
		touched(where[r], valid, in.table, window, low_row[r], high_row[r]);
	}
	barrier();
	if (!in.view) {
		limits(low_row, high_row, ROWS, window, deep, k_lo, k_hi);
	}
	float scale, unscale;
	scaling(*largest, scale, unscale);

	// What is fetched next: STEP values from fetch_k on of a tap, of which those from piece_lo up
	// to piece_hi come before other taps' turn.
	const int tap_lo = k_lo / deep, tap_hi = (k_hi + deep - 1) / deep;
	int tap = tap_lo, ky = tap / window.kernel_x, kx = tap % window.kernel_x;
	int fetch_k = k_lo % deep, piece_lo = 0, piece_hi = piece < deep ? piece : deep, side = 0;
	const bool again = piece < deep;
	const float *const my_weights = weights + ((long)group * all * columns + column0 * STEP + 4 * t), *next_weights;
	auto locate = [&] {
		next_weights = my_weights + (long)(tap * deep + fetch_k) * columns;
		for (int r = t; r < ROWS; r += THREADS) {
			const Row p = where[r];
			const int y = p.y * window.stride_y - window.pad_y + ky * window.dilation_y;
			const int x = p.x * window.stride_x - window.pad_x + kx * window.dilation_x;
			const float *from = nullptr;
			if (row0 + r < rows && y >= 0 && y < window.h && x >= 0 && x < in.w) {
				from = in.cell(in.table[p.position], y, x);
			}
			lies[side][r] = from ? from + group * depth : nullptr;
		}
	};
	const int column_of_copy = column0 + t / 32 * 8; // of the first one
	auto fetch = [&](int stage) {
		float *const to = dynamic + stage * STAGE + 4 * t;
		const int k = fetch_k + t % 4 * 4;
#pragma unroll
		for (int i = 0; i < ROWS * 4 / THREADS; i++) {
			const float *p = lies[side][t / 4 + i * THREADS / 4];
			const bool none = !p || k >= depth;
			copy_async(to + 4 * THREADS * i, none ? weights : p + k, none, again);
		}
#pragma unroll
		for (int i = 0; i < COLUMNS * 4 / THREADS; i++) {
			const bool none = column_of_copy + i * THREADS / 4 >= columns;
			copy_async(to + ROWS * STEP + 4 * THREADS * i, none ? weights : next_weights + 4 * THREADS * i, none);
		}
		next_weights += STEP * columns;
		fetch_k += STEP;
		if (fetch_k == piece_hi) {
			tap++;
			if (++kx == window.kernel_x) {
				kx = 0;
				ky++;
			}
			if (tap == tap_hi) {
				tap = tap_lo;
				ky = tap / window.kernel_x;
				kx = tap % window.kernel_x;
				piece_lo = piece_hi;
				piece_hi = piece_hi + piece < deep ? piece_hi + piece : deep;
			}
			fetch_k = piece_lo;
			side ^= 1;
			locate();
		}
	};

	locate();
	barrier();
	int ahead = k_lo; // up to where values are fetched
	for (int stage = 0; stage < STAGES - 1; stage++) {
		if (ahead < k_hi) {
			fetch(stage);
			ahead += STEP;
		}
		copies_commit();
		barrier();
	}

	float sum[4][8][4] = {};
	int stage = 0, free_stage = STAGES - 1;
	for (int k = k_lo; k < k_hi; k += STEP) {
		copies_wait<STAGES - 2>();
		barrier(); // the stage is there, and all have left the one before
		if (ahead < k_hi) {
			fetch(free_stage);
			ahead += STEP;
		}
		copies_commit();
		const float *const a = dynamic + stage * STAGE + (warp_row + g) * STEP + 4 * l;
		const float *const b = dynamic + stage * STAGE + ROWS * STEP + warp_column * STEP + 4 * lane;
		unsigned right[8][4]; // the large part of 4 values, and what is left of them
#pragma unroll
		for (int n = 0; n < 8; n++) {
			__builtin_memcpy(right[n], __builtin_assume_aligned(b + 8 * STEP * n, 16), 16);
		}
#pragma unroll
		for (int m = 0; m < 4; m++) {
			unsigned big[4], rest[4];
			split4(a + 16 * STEP * m, scale, big[0], big[2], rest[0], rest[2]);
			split4(a + 16 * STEP * m + 8 * STEP, scale, big[1], big[3], rest[1], rest[3]);
			float part[8][4];
#pragma unroll
			for (int n = 0; n < 8; n++) {
				mma(part[n], rest, right[n]);
			}
#pragma unroll
			for (int n = 0; n < 8; n++) {
				mma_add(part[n], big, right[n] + 2);
			}
#pragma unroll
			for (int n = 0; n < 8; n++) {
				mma_add(part[n], big, right[n]);
			}
#pragma unroll
			for (int n = 0; n < 8; n++) {
#pragma unroll
				for (int i = 0; i < 4; i++) {
					sum[m][n][i] += part[n][i];
				}
			}
		}
		stage = stage + 1 == STAGES ? 0 : stage + 1;
		free_stage = free_stage + 1 == STAGES ? 0 : free_stage + 1;
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
				add = residual.cell(residual.table[p.position], p.y, p.x);
			}
#pragma unroll
			for (int n = 0; n < 8; n++) {
				const int column = column0 + warp_column + n * 8 + 2 * l;
				if (column < filters) {
					float v[2];
					__builtin_memcpy(v, __builtin_assume_aligned(unscales + group * columns + column, 8), 8);
#pragma unroll
					for (int i = 0; i < 2; i++) {
						v[i] *= sum[m][n][2 * half + i];
						v[i] *= unscale;
					}
					store<2>(mine + column, v, bias + group * columns + column,
						add ? add + group * filters + column : nullptr, filters - column, filters % 2 == 0, split, ending);
				}
			}
		}
	}
}

#define F16X3(name, warps_m, warps_n, stages, blocks) \
	KERNEL2(32 * warps_m * warps_n, blocks) void name(CONV_ARGS, const unsigned *largest, const float *unscales, int piece) { \
		CONV_STRUCTS; \
		conv_f16x3<warps_m, warps_n, stages>(CONV_NAMES, largest, unscales, piece); \
	}
F16X3(conv_f16x3_128x128, 2, 2, 4, 2)
F16X3(conv_f16x3_256x128, 4, 2, 3, 1)
F16X3(conv_f16x3_256x64, 4, 1, 4, 2)
