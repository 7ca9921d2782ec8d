// What device.h asks of a device, on a processor: the threads of a block are coroutines
// of one thread, which take turns where they wait for each other.
#pragma once

#define KERNEL(threads) extern "C"
#define KERNEL2(threads, blocks) extern "C"
#define DEVICE static inline
#define DEVICE_MEMBER
#define DEVICE_CALL static
#define SHARED static IN_SHARED

// IN_SHARED is what a block has in shared memory, UNWATCHED a function that is the emulator's own
// (see watch.h).
#define IN_SHARED __attribute__((section("shared_memory")))
#define UNWATCHED __attribute__((no_sanitize("thread")))

struct Barrier {
	int waiting, turn;
};

// The block that runs, and the thread of it whose turn it is.
struct Block {
	int thread, threads, block[3], blocks[3];
	Barrier all, warp[32];
	long steps; // threads that finished, and barriers that all had come to
};
extern Block running;

// yield lets the other threads run.
void yield();

UNWATCHED static inline void meet(Barrier &b, int members) {
	const int turn = b.turn;
	if (++b.waiting == members) {
		b.waiting = 0;
		b.turn++;
		running.steps++;
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
UNWATCHED static inline void meet_warp() { meet(running.warp[thread() / 32], 32); }

UNWATCHED static inline float shuffle(float v, int mask) {
	static float lanes[1024];
	lanes[thread()] = v;
	meet_warp();
	const float r = lanes[thread() ^ mask];
	meet_warp();
	return r;
}

static inline void write4(float *to, const float *v) { __builtin_memcpy(__builtin_assume_aligned(to, 16), v, 16); }
static inline void write2(float *to, const float *v) { __builtin_memcpy(__builtin_assume_aligned(to, 8), v, 8); }

// dynamic is the shared memory that a launch gives a block; all of it for who takes too much.
extern float dynamic[(227 << 10) / sizeof(float)];

// Copies are made as early as is allowed, at once, or as late, when a thread waits for their
// group.
struct Copy {
	float *to;
	const float *from;
	bool zero;
	int group;

	void make() const {
		float *const aligned_to = (float *)__builtin_assume_aligned(to, 16);
		const float *const aligned_from = (const float *)__builtin_assume_aligned(from, 16);
		for (int i = 0; i < 4; i++) {
			aligned_to[i] = zero ? 0 : aligned_from[i];
		}
	}
};
struct Copies {
	Copy copy[64];
	int n, group;
};
extern Copies copies[1024];
extern bool copies_early;

static inline void copy_async(float *to, const float *from, bool zero, bool = false) {
	Copies &c = copies[thread()];
	const Copy copy{to, from, zero, c.group};
	if (copies_early) {
		copy.make();
		return;
	}
	if (c.n == 64) {
		__builtin_trap();
	}
	c.copy[c.n++] = copy;
}
static inline void copies_commit() { copies[thread()].group++; }
template <int N> static inline void copies_wait() {
	Copies &c = copies[thread()];
	int left = 0;
	for (int i = 0; i < c.n; i++) {
		if (c.copy[i].group >= c.group - N) {
			c.copy[left++] = c.copy[i];
		} else {
			c.copy[i].make();
		}
	}
	c.n = left;
}

static inline unsigned halves(float first, float second) {
	return __builtin_bit_cast(unsigned short, (_Float16)first) | (unsigned)__builtin_bit_cast(unsigned short, (_Float16)second) << 16;
}
UNWATCHED static inline float half_of(unsigned h, int which) { return (float)__builtin_bit_cast(_Float16, (unsigned short)(h >> 16 * which)); }
static inline void floats(unsigned h, float &first, float &second) {
	first = half_of(h, 0);
	second = half_of(h, 1);
}

// toward_zero rounds by cutting off what does not fit.
UNWATCHED static inline float toward_zero(double v) {
	return (float)__builtin_bit_cast(double, __builtin_bit_cast(unsigned long, v) & ~0x1fffffffUL);
}

// add8 adds up c and 8 products as the least exact of tensor cores are known to do: what lies below
// the last of 24 bits of the largest of them is cut off from each, and from their sum (Fasi and
// others, "Numerical behavior of NVIDIA tensor cores", 2021).
UNWATCHED static inline float add8(float c, const float *left, const float *right) {
	float product[8], plain = c, largest = __builtin_fabsf(c);
	for (int k = 0; k < 8; k++) {
		product[k] = left[k] * right[k]; // which is exact
		plain += product[k];
		largest = __builtin_fmaxf(largest, __builtin_fabsf(product[k]));
	}
	if (largest == 0 || plain - plain != 0) {
		return plain;
	}
	const double last = __builtin_bit_cast(float, __builtin_bit_cast(unsigned, largest) & 0x7f800000) * 0x1p-23, each = 1 / last;
	long sum = (long)(c * each);
	for (int k = 0; k < 8; k++) {
		sum += (long)(product[k] * each);
	}
	return toward_zero((double)sum * last);
}

// mma_add as the PTX manual lays out the fragments of m16n8k16 for fp16. Registers hold two
// neighbours along K: of a in rows group and group + 8, first of columns below 8, then of
// those from 8 on; of b in rows below 8 and from 8 on.
UNWATCHED static inline void mma_add(float c[4], const unsigned a[4], const unsigned b[2]) {
	// By warp, two of each: who is at the next one has left the one before, so lanes meet once.
	static float lefts[32][2][16][16], rights[32][2][8][16];
	const int warp = thread() / 32, group = thread() % 32 / 4, in_group = thread() % 4;
	auto &left = lefts[warp][running.warp[warp].turn % 2];
	auto &right = rights[warp][running.warp[warp].turn % 2]; // column by column
	for (int i = 0; i < 8; i++) {
		const int row = i % 4 < 2 ? group : group + 8;
		const int column = in_group * 2 + (i & 1) + (i < 4 ? 0 : 8);
		left[row][column] = half_of(a[i / 2], i % 2);
	}
	for (int i = 0; i < 4; i++) {
		right[group][in_group * 2 + (i & 1) + (i < 2 ? 0 : 8)] = half_of(b[i / 2], i % 2);
	}
	meet_warp();
	for (int i = 0; i < 4; i++) {
		const int row = i < 2 ? group : group + 8, column = in_group * 2 + (i & 1);
		c[i] = add8(add8(c[i], left[row], right[column]), left[row] + 8, right[column] + 8);
	}
}
static inline void mma(float c[4], const unsigned a[4], const unsigned b[2]) {
	c[0] = c[1] = c[2] = c[3] = 0;
	mma_add(c, a, b);
}

UNWATCHED static inline void raise_to(unsigned *to, unsigned v) { *to = v > *to ? v : *to; }
