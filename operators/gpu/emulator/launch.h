// Runs the kernels' source: all blocks of a launch, one after the other.
#pragma once
#define EMULATED
#include "kernels.cu"

#include <setjmp.h>
#include <string.h>
#include <ucontext.h>

Block running;
Copies copies[1024];
bool copies_early;
alignas(128) IN_SHARED float dynamic[(227 << 10) / sizeof(float)];

typedef unsigned long Word;

template <int... I> struct Numbers {};
template <class T, T... I> struct Make { typedef Numbers<I...> Type; };

template <class T> T argument(Word w) {
	T v;
	memcpy(&v, &w, sizeof v);
	return v;
}

template <class... A, int... I> void call(void (*f)(A...), const Word *words, Numbers<I...>) { f(argument<A>(words[I])...); }

// Kernel is a kernel that takes its arguments from words. The threads of some meet; those
// of others run one after the other.
struct Kernel {
	const char *name;
	bool meets;
	int arguments;
	void (*run)(const Word *);
};

template <auto F> struct Of;
template <class... A, void (*F)(A...)> struct Of<F> {
	enum { arguments = sizeof...(A) };
	static void run(const Word *words) { call(F, words, typename __make_integer_seq<Make, int, sizeof...(A)>::Type()); }
};

#define ALONE(name) {#name, false, Of<name>::arguments, Of<name>::run}
#define MEETING(name) {#name, true, Of<name>::arguments, Of<name>::run}
static const Kernel kernels[] = {
	MEETING(conv_ffma_128), MEETING(conv_ffma_64), MEETING(conv_ffma_odd), MEETING(conv_f16x3_128x128),
	MEETING(conv_f16x3_256x128), MEETING(conv_f16x3_256x64), MEETING(largest), MEETING(softmax),
	MEETING(channel_reduce), ALONE(conv_direct), ALONE(conv_depthwise), ALONE(reduce), ALONE(pool), ALONE(binary), ALONE(affine),
	ALONE(lrn), ALONE(place), ALONE(slice), ALONE(pad), ALONE(rearrange), MEETING(global_pool), ALONE(instance_norm),
};

// Threads are begun as contexts, stay for the next block, and take turns by jumps, which
// need no system calls.
static ucontext_t contexts[1024];
static jmp_buf scheduler, threads_at[1024];
static char stacks[1024][64 << 10];
static bool begun[1024], finished[1024];
static const Kernel *kernel;
static Word words[64];

void yield() {
	if (!kernel->meets) {
		__builtin_trap();
	}
	if (!_setjmp(threads_at[running.thread])) {
		_longjmp(scheduler, 1);
	}
}

static void body() {
	for (;;) {
		kernel->run(words);
		finished[running.thread] = true;
		running.steps++;
		yield();
	}
}

// resume runs a thread until it waits or finishes.
static void resume(int t) {
	running.thread = t;
	if (_setjmp(scheduler)) {
		return;
	}
	if (begun[t]) {
		_longjmp(threads_at[t], 1);
	}
	begun[t] = true;
	getcontext(&contexts[t]);
	contexts[t].uc_stack.ss_sp = stacks[t];
	contexts[t].uc_stack.ss_size = sizeof stacks[t];
	makecontext(&contexts[t], body, 0);
	setcontext(&contexts[t]);
}

// Intervals between barriers are counted through all launches.
static unsigned first_of_launch, first_of_block;
UNWATCHED static unsigned interval() { return first_of_block + running.all.turn; }

// run_block runs the threads of a block, in turns if they meet, until all have finished. It tells
// whether they have: threads that are at different barriers wait for ever.
static bool run_block(bool backwards) {
	first_of_block = interval() + 1;
	memset(&running.all, 0, sizeof running.all);
	memset(running.warp, 0, sizeof running.warp);
	memset(finished, 0, sizeof finished);
	for (int left = running.threads; left;) {
		const long before = running.steps;
		left = 0;
		for (int i = 0; i < running.threads; i++) {
			const int t = backwards ? running.threads - 1 - i : i;
			if (!kernel->meets) {
				running.thread = t;
				kernel->run(words);
			} else if (!finished[t]) {
				resume(t);
				left += !finished[t];
			}
		}
		if (left && running.steps == before) {
			memset(begun, 0, sizeof begun);
			memset(copies, 0, sizeof copies);
			return false;
		}
	}
	return true;
}

// find is the kernel of a name, null for none.
static const Kernel *find(const char *name) {
	for (const Kernel &k : kernels) {
		if (!strcmp(k.name, name)) {
			return &k;
		}
	}
	return nullptr;
}

// nothing is a NaN that no computation gives, of which dynamic shared memory is full first.
static const unsigned nothing = 0x7fc0beef;

// What a GPU is free to do, an emulator does either way: threads take turns first to last or
// last to first, asynchronous copies are made late or early.
enum { BACKWARDS = 1, EARLY = 2, WAYS = 4 };

// launch runs a kernel, whose arguments are in words, for running.blocks blocks of
// running.threads threads and so many bytes of dynamic shared memory. It gives what is wrong, null
// for nothing.
UNWATCHED static const char *launch(const Kernel *k, int shared, int way) {
	kernel = k;
	copies_early = way & EARLY;
	first_of_launch = interval() + 1;
	const int values = shared / (int)sizeof *dynamic;
	for (int z = 0; z < running.blocks[2]; z++) {
		for (int y = 0; y < running.blocks[1]; y++) {
			for (int x = 0; x < running.blocks[0]; x++) {
				running.block[0] = x;
				running.block[1] = y;
				running.block[2] = z;
				for (int i = 0; i < values; i++) {
					memcpy(&dynamic[i], &nothing, sizeof nothing);
				}
				if (!run_block(way & BACKWARDS)) {
					return "threads of a block wait at different barriers";
				}
			}
		}
	}
	for (int i = values; i < values + 4096 && i < (int)(sizeof dynamic / sizeof *dynamic); i++) {
		if (dynamic[i] != 0) {
			return "reached beyond its dynamic shared memory";
		}
	}
	memset(dynamic, 0, shared);
	return nullptr;
}
