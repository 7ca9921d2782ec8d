// What device.h asks of a device, on a processor: the threads of a block are coroutines
// of one thread, which take turns where they wait for each other.
#pragma once

#define KERNEL(threads) extern "C"
#define KERNEL2(threads, blocks) extern "C"
#define DEVICE static inline
#define DEVICE_MEMBER
#define DEVICE_CALL static
#define SHARED static

struct Barrier {
	int waiting, turn;
};

// The block that runs, and the thread of it whose turn it is.
struct Block {
	int thread, threads, block[3], blocks[3];
	Barrier all, warp[32];
};
extern Block running;

// yield lets the other threads run.
void yield();

static inline void meet(Barrier &b, int members) {
	const int turn = b.turn;
	if (++b.waiting == members) {
		b.waiting = 0;
		b.turn++;
		return;
	}
	while (b.turn == turn) {
		yield();
	}
}

static inline int thread() { return running.thread; }
static inline int threads() { return running.threads; }
static inline int block_x() { return running.block[0]; }
static inline int block_y() { return running.block[1]; }
static inline int block_z() { return running.block[2]; }
static inline int blocks_x() { return running.blocks[0]; }
static inline void barrier() { meet(running.all, running.threads); }
static inline void meet_warp() { meet(running.warp[thread() / 32], 32); }

static inline float shuffle(float v, int mask) {
	static float lanes[1024];
	lanes[thread()] = v;
	meet_warp();
	const float r = lanes[thread() ^ mask];
	meet_warp();
	return r;
}

static inline void write4(float *to, const float *v) { __builtin_memcpy(__builtin_assume_aligned(to, 16), v, 16); }
static inline void write2(float *to, const float *v) { __builtin_memcpy(__builtin_assume_aligned(to, 8), v, 8); }

// Copies are made as late as is allowed, when a thread waits for them.
struct Copies {
	struct {
		float *to;
		const float *from;
		bool zero;
	} copy[16];
	int n;
};
extern Copies copies[1024];

static inline void copy_async(float *to, const float *from, bool zero) {
	Copies &c = copies[thread()];
	if (c.n == 16) {
		__builtin_trap();
	}
	c.copy[c.n].to = to;
	c.copy[c.n].from = from;
	c.copy[c.n++].zero = zero;
}
static inline void copies_commit() {}
static inline void copies_wait() {
	Copies &c = copies[thread()];
	for (int i = 0; i < c.n; i++) {
		float *const to = (float *)__builtin_assume_aligned(c.copy[i].to, 16);
		const float *const from = (const float *)__builtin_assume_aligned(c.copy[i].from, 16);
		for (int j = 0; j < 4; j++) {
			to[j] = c.copy[i].zero ? 0 : from[j];
		}
	}
	c.n = 0;
}

static inline float tf32(float v) {
	const unsigned b = __builtin_bit_cast(unsigned, v);
	if ((b & 0x7f800000) == 0x7f800000) {
		return v;
	}
	return __builtin_bit_cast(float, (b + 0x1000) & ~0x1fffu);
}

// mma as the PTX manual lays out the fragments of m16n8k8 for tf32.
static inline void mma(float c[4], const float a[4], const float b[2]) {
	static float left[32][16][8], right[32][8][8]; // by warp
	const int warp = thread() / 32, group = thread() % 32 / 4, in_group = thread() % 4;
	for (int i = 0; i < 4; i++) {
		const int row = i == 0 || i == 2 ? group : group + 8;
		const int column = i < 2 ? in_group : in_group + 4;
		left[warp][row][column] = __builtin_bit_cast(float, __builtin_bit_cast(unsigned, a[i]) & ~0x1fffu);
	}
	for (int i = 0; i < 2; i++) {
		right[warp][in_group + 4 * i][group] = __builtin_bit_cast(float, __builtin_bit_cast(unsigned, b[i]) & ~0x1fffu);
	}
	meet_warp();
	for (int i = 0; i < 4; i++) {
		const int row = i < 2 ? group : group + 8, column = in_group * 2 + (i & 1);
		for (int k = 0; k < 8; k++) {
			c[i] += left[warp][row][k] * right[warp][k][column];
		}
	}
	meet_warp();
}
