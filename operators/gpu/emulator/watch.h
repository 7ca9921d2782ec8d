// Watches all accesses to memory. Two faults show that need not make a result wrong here: reads
// beyond all allocations; and threads that read or write what others write without a barrier
// between, however they took turns. The compiler calls who follows here before every access, by what
// it does for its own detector of races between threads of a processor (-fsanitize=thread), of which
// nothing else is linked.
//
// Threads of a block meet at barriers alone: shuffles and tensor cores promise nothing of
// memory. Blocks of a launch never meet.
#pragma once
#include "launch.h"

#include <stdio.h>
#include <sys/mman.h>

// Access is who touched a word last, in which interval: between two barriers of a block, the
// number of which grows from block to block and from launch to launch.
struct Access {
	unsigned interval;
	int thread;
};
enum { SEVERAL = -1, OF_SEVERAL_BLOCKS = -2 }; // threads that read

// Watched is memory whose words are watched; blocks of a launch share that of the device.
struct Watched {
	char *begin, *end;
	bool shared_by_blocks;
	struct Word {
		Access read, write;
	} *words;
};
static Watched watched[2];

// fault is what was found first, in this launch.
static char fault[200];

// BEYOND is what stands between allocations, see device.go.
static const unsigned BEYOND = 0x7fc0dead;

// watch begins to watch memory.
UNWATCHED static bool watch(Watched &w, void *begin, unsigned long bytes, bool shared_by_blocks) {
	void *const words = mmap(nullptr, bytes / 4 * sizeof(Watched::Word), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	w = {(char *)begin, (char *)begin + bytes, shared_by_blocks, (Watched::Word *)words};
	return words != MAP_FAILED;
}

// together tells whether nothing was between an access and one of the present thread.
UNWATCHED static bool together(const Watched &w, const Access &a) {
	if (a.interval < first_of_launch || a.interval < first_of_block) {
		return w.shared_by_blocks && a.interval >= first_of_launch;
	}
	return a.thread == OF_SEVERAL_BLOCKS || a.interval == interval() && a.thread != running.thread;
}

// note tells of the first fault of a launch: what the present thread does, and what is wrong with it.
UNWATCHED static void note(const Watched &w, const char *at, const char *does, const char *but) {
	if (!*fault) {
		snprintf(fault, sizeof fault, "thread %d of block %d,%d,%d %s value %ld of %s memory, %s", running.thread, running.block[0],
			running.block[1], running.block[2], does, (at - w.begin) / 4, w.shared_by_blocks ? "device" : "shared", but);
	}
}

// note_race is note of what another did.
UNWATCHED static void note_race(const Watched &w, const char *at, const char *does, const Access &other, const char *did) {
	char but[80];
	if (other.thread < 0) {
		snprintf(but, sizeof but, "which several %s with no barrier between", did);
	} else {
		snprintf(but, sizeof but, "which thread %d %s with no barrier between", other.thread, did);
	}
	note(w, at, does, but);
}

// touch is an access of the present thread.
UNWATCHED static void touch(const void *p, int bytes, bool writes) {
	for (const Watched &w : watched) {
		if (p < w.begin || p >= w.end) {
			continue;
		}
		for (const char *at = (const char *)p; at < (const char *)p + bytes; at += 4) {
			Watched::Word &word = w.words[(at - w.begin) / 4];
			const Access now{interval(), running.thread};
			unsigned value;
			if (memcpy(&value, at, sizeof value); value == BEYOND && !writes) {
				note(w, at, "reads", "which is in no allocation");
			}
			if (together(w, word.write)) {
				note_race(w, at, writes ? "writes" : "reads", word.write, "wrote");
			}
			if (writes) {
				if (together(w, word.read)) {
					note_race(w, at, "writes", word.read, "read");
				}
				word.write = now;
			} else if (!together(w, word.read)) {
				word.read = now;
			} else if (word.read.thread != OF_SEVERAL_BLOCKS) {
				word.read = {interval(), word.read.interval < first_of_block ? OF_SEVERAL_BLOCKS : SEVERAL};
			}
		}
	}
}

#define ACCESS(bytes) \
	extern "C" UNWATCHED void __tsan_read##bytes(void *p) { touch(p, bytes, false); } \
	extern "C" UNWATCHED void __tsan_write##bytes(void *p) { touch(p, bytes, true); } \
	extern "C" UNWATCHED void __tsan_unaligned_read##bytes(void *p) { touch(p, bytes, false); } \
	extern "C" UNWATCHED void __tsan_unaligned_write##bytes(void *p) { touch(p, bytes, true); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
extern "C" UNWATCHED void *__tsan_memcpy(void *to, const void *from, unsigned long bytes) {
	touch(from, (int)bytes, false);
	touch(to, (int)bytes, true);
	return memcpy(to, from, bytes);
}
extern "C" UNWATCHED void *__tsan_memset(void *to, int value, unsigned long bytes) {
	touch(to, (int)bytes, true);
	return memset(to, value, bytes);
}
extern "C" UNWATCHED void __tsan_init() {}
