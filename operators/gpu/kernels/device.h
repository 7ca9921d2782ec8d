// What kernels are written in: CUDA C without CUDA's headers, or, with EMULATED
// defined, C++ for a processor (see operators/gpu/emulator). Arguments of every
// kernel are in the order of its struct in args.go.
#pragma once

#ifdef EMULATED
#include "emulate.h"
#else
#define KERNEL(threads) extern "C" __attribute__((global, launch_bounds(threads)))
#define KERNEL2(threads, blocks) extern "C" __attribute__((global, launch_bounds(threads, blocks)))
#define DEVICE static inline __attribute__((device, always_inline))
#define DEVICE_MEMBER __attribute__((device, always_inline))
#define DEVICE_CALL static __attribute__((device, noinline))
#define SHARED static __attribute__((shared))

DEVICE int thread() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE int threads() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEVICE int block_x() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE int block_y() { return __nvvm_read_ptx_sreg_ctaid_y(); }
DEVICE int block_z() { return __nvvm_read_ptx_sreg_ctaid_z(); }
DEVICE int blocks_x() { return __nvvm_read_ptx_sreg_nctaid_x(); }
// barrier waits for all threads of the block.
DEVICE void barrier() { __syncthreads(); }

// shuffle is the value of the lane whose number differs in the bits of mask.
DEVICE float shuffle(float v, int mask) {
	float r;
	asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=f"(r) : "f"(v), "r"(mask));
	return r;
}

// write4 and write2 store values at a multiple of their size in one piece, which the
// compiler takes apart where another branch stores some of them.
DEVICE void write4(float *to, const float *v) {
	asm volatile("st.global.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(to), "f"(v[0]), "f"(v[1]), "f"(v[2]), "f"(v[3]) : "memory");
}
DEVICE void write2(float *to, const float *v) {
	asm volatile("st.global.v2.f32 [%0], {%1,%2};" ::"l"(to), "f"(v[0]), "f"(v[1]) : "memory");
}

// dynamic is the shared memory that the launch gives a block, see Tile in kernels.go.
extern __attribute__((shared, aligned(128))) float dynamic[];

// copy_async copies 16 bytes to shared memory, or writes zeros, some time before
// copies_wait says that they are there; through the first-level cache where they are needed
// again. The copies between two calls of copies_commit are
// a group.
DEVICE void copy_async(float *to, const float *from, bool zero, bool again = false) {
	const unsigned at = (unsigned)(unsigned long)(__attribute__((address_space(3))) float *)to;
	if (again) {
		asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(zero ? 0 : 16) : "memory");
	} else {
		asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(zero ? 0 : 16) : "memory");
	}
}
DEVICE void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// copies_wait waits for the thread's own copies, but for those of the last N groups.
template <int N> DEVICE void copies_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// halves rounds two numbers to fp16, ties to even, beyond 65504 to infinity; first stands
// in the lower half of the word. floats is the way back.
DEVICE unsigned halves(float first, float second) {
	unsigned r;
	asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(second), "f"(first));
	return r;
}
DEVICE void floats(unsigned h, float &first, float &second) {
	asm("{ .reg .b16 a, b; mov.b32 {a, b}, %2; cvt.f32.f16 %0, a; cvt.f32.f16 %1, b; }" : "=f"(first), "=f"(second) : "r"(h));
}

// mma gives c the product of a, 16x16, and b, 16x8, of numbers in fp16, two in a word; mma_add
// adds it. Lane l, with g = l/4 and t = l%4, holds a in rows g and g+8 and columns 2t, 2t+1
// and 2t+8, 2t+9, down rows first; b in rows 2t, 2t+1 and 2t+8, 2t+9 of column g; c in rows g
// and g+8 and columns 2t and 2t+1, along rows first.
#define MMA "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
DEVICE void mma(float c[4], const unsigned a[4], const unsigned b[2]) {
	asm(MMA "{%10,%10,%10,%10};"
		: "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3])
		: "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(0.0f));
}
DEVICE void mma_add(float c[4], const unsigned a[4], const unsigned b[2]) {
	asm(MMA "{%0,%1,%2,%3};"
		: "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		: "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// raise_to raises the number at to; bits of floats that are not negative are in their order.
DEVICE void raise_to(unsigned *to, unsigned v) { asm volatile("red.global.max.u32 [%0], %1;" ::"l"(to), "r"(v) : "memory"); }
#endif

// Entry is Entry in args.go.
struct alignas(16) Entry {
	int y0, x0, y1, x1;
	int width, base, row, unused;
};

DEVICE int cells(const Entry &e) { return e.y1 <= e.y0 || e.x1 <= e.x0 ? 0 : (e.y1 - e.y0) * (e.x1 - e.x0); }
DEVICE bool has(const Entry &e, int y, int x) { return y >= e.y0 && y < e.y1 && x >= e.x0 && x < e.x1; }

// Out is Out in args.go, a kernel's parameters OUT.
#define OUT float *out_data, const Entry *out_table, int positions, int out_pitch
struct Out {
	float *data;
	int pitch;

	// cell is where a cell of the rectangle of e lies.
	DEVICE_MEMBER float *cell(const Entry &e, int y, int x) const { return data + (long)(e.base + y * e.width + x) * pitch; }
};
#define THE_OUT \
	Out { out_data, out_pitch }

// Source is Source in args.go, a kernel's parameters IN.
#define IN const float *view, const float *data, const Entry *table, int w, int c, int pitch
struct Source {
	const float *view, *data;
	const Entry *table;
	int w, c, pitch;

	// cell is a cell at the position of e, null where it is zero.
	DEVICE_MEMBER const float *cell(const Entry &e, int y, int x) const {
		if (has(e, y, x)) {
			return data + (long)(e.base + y * e.width + x) * pitch;
		}
		return view ? view + ((long)y * w + x) * c : nullptr;
	}

	// value is channel k of such a cell.
	DEVICE_MEMBER float value(const Entry &e, int y, int x, int k) const {
		const float *p = cell(e, y, x);
		return p ? p[k] : 0.0f;
	}
};
#define THE_IN \
	Source { view, data, table, w, c, pitch }

// clamp keeps NaN.
DEVICE float clamp(float v, float low, float high) {
	v = v < low ? low : v;
	return v > high ? high : v;
}

// larger is the larger one, NaN if one of them is.
DEVICE float larger(float a, float b) { return a > b || a != a ? a : b; }
DEVICE float smaller(float a, float b) { return a < b || a != a ? a : b; }
