// How kernels that work cell by cell go through what they write.
#pragma once
#include "functions.h"

// Piece is N neighbouring channels, 16 bytes of them where addresses allow it.
template <int N> struct Piece {
	float v[N];
};

// load reads a piece, zeros from nowhere.
template <int N> DEVICE Piece<N> load(const float *from) {
	Piece<N> p = {};
	if (from) {
		__builtin_memcpy(p.v, __builtin_assume_aligned(from, 4 * N), 4 * N);
	}
	return p;
}

template <int N> DEVICE void keep(float *to, const Piece<N> &p) {
	if constexpr (N == 4) {
		write4(to, p.v);
	} else {
		*to = p.v[0];
	}
}

template <int N, class Make> DEVICE void each_piece(const Out &out, const Entry &e, int channels, Make make) {
	const int width = e.x1 - e.x0, pieces = channels / N, all = cells(e) * pieces;
	for (int i = block_x() * threads() + thread(); i < all; i += blocks_x() * threads()) {
		const int k = i % pieces * N, y = e.y0 + i / pieces / width, x = e.x0 + i / pieces % width;
		Piece<N> p;
		if (make(y, x, k, p)) {
			keep<N>(out.cell(e, y, x) + k, p);
		}
	}
}

// each_value makes so many channels of all cells of a rectangle, which the blocks along x and
// their threads share: make(y, x, k, piece) fills a piece from channel k on, and tells whether
// to store it. Pieces have 4 channels where all numbers of channels, those of the sources
// included, are multiples of 4.
template <class Make> DEVICE void each_value(const Out &out, const Entry &e, int channels, bool vector, Make make) {
	if (vector) {
		each_piece<4>(out, e, channels, make);
	} else {
		each_piece<1>(out, e, channels, make);
	}
}

// PIECE is the head of a make, in which N is the size of the piece p.
#define PIECE [&]<int N>(int y, int x, int k, Piece<N> &p) -> bool
