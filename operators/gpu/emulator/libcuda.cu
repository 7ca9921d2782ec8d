// A libcuda.so.1 whose only device is the emulator: the part of the CUDA driver's API that
// operators/gpu/cuda uses through gorgonia.org/cu. It shows that the calls are made as
// they should be, without a GPU. Everything is done at once: a stream only is, and an event is the
// host's time at which it was recorded.
#include "launch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define API extern "C" __attribute__((visibility("default"))) int
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, NO_CONTEXT = 201, INVALID_PTX = 218, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

static const unsigned long total = 1ul << 30;
static unsigned long held, sizes[1 << 16];
static void *blocks[1 << 16];
static bool initialized;
static char context, module_, stream;
static struct Event { bool made; timespec at; } events[1 << 16];
static thread_local void *current;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

struct Lock {
	Lock() { pthread_mutex_lock(&one); }
	~Lock() { pthread_mutex_unlock(&one); }
};

// Every call but the first few needs a context that is current on its thread.
#define BOUND \
	Lock lock; \
	if (current != &context) { \
		return NO_CONTEXT; \
	}

API cuInit(unsigned) {
	initialized = getenv("OCCLUDE_NO_DEVICE") == nullptr;
	return initialized ? OK : NO_DEVICE;
}
API cuGetErrorString(int code, const char **text) {
	*text = code == NO_DEVICE ? "no CUDA-capable device is detected" : nullptr;
	return *text ? OK : INVALID_VALUE;
}
API cuDeviceGetCount(int *n) { return *n = 1, initialized ? OK : NOT_INITIALIZED; }
API cuDeviceGet(int *device, int number) { return *device = number, number == 0 ? OK : INVALID_DEVICE; }
API cuDeviceGetName(char *name, int n, int) { return snprintf(name, n, "emulated GPU"), OK; }
API cuDeviceTotalMem_v2(unsigned long *bytes, int) { return *bytes = total, OK; }
API cuDeviceGetAttribute(int *value, int attribute, int) {
	switch (attribute) {
	case 8: *value = 48 << 10; break; // shared memory of a block
	case 13: *value = 1000000; break; // kHz
	case 16: *value = 1; break;	   // multiprocessors
	case 75: *value = 8; break;	   // compute capability
	case 76: *value = 0; break;
	case 97: *value = (int)sizeof dynamic; break; // shared memory of a block that asks for more
	default: return INVALID_VALUE;
	}
	return OK;
}
API cuDevicePrimaryCtxRetain(void **c, int) { return *c = &context, OK; }
API cuCtxSetCurrent(void *c) { return current = c, OK; }

API cuMemGetInfo_v2(unsigned long *free_, unsigned long *all) {
	BOUND
	return *free_ = total - held, *all = total, OK;
}
API cuMemAlloc_v2(void **p, unsigned long bytes) {
	BOUND
	for (int i = 0; i < 1 << 16 && bytes <= total - held; i++) {
		if (!blocks[i]) {
			*p = blocks[i] = aligned_alloc(256, (bytes + 255) / 256 * 256);
			memset(*p, 0xff, bytes); // NaN
			sizes[i] = bytes;
			held += bytes;
			return OK;
		}
	}
	return OUT_OF_MEMORY;
}
API cuMemFree_v2(void *p) {
	BOUND
	for (int i = 0; i < 1 << 16; i++) {
		if (p && blocks[i] == p) {
			free(p);
			held -= sizes[i];
			blocks[i] = nullptr;
			return OK;
		}
	}
	return INVALID_VALUE;
}
static bool known(const void *p, unsigned long bytes) {
	for (int i = 0; i < 1 << 16; i++) {
		if (blocks[i] && p >= blocks[i] && (char *)p + bytes <= (char *)blocks[i] + sizes[i]) {
			return true;
		}
	}
	return false;
}
API cuMemcpyHtoDAsync_v2(void *to, const void *from, unsigned long bytes, void *s) {
	BOUND
	return known(to, bytes) && s == &stream ? memcpy(to, from, bytes), OK : INVALID_VALUE;
}
API cuMemcpyDtoHAsync_v2(void *to, const void *from, unsigned long bytes, void *s) {
	BOUND
	return known(from, bytes) && s == &stream ? memcpy(to, from, bytes), OK : INVALID_VALUE;
}

// Of the options it has two: the buffer for errors, and its size.
API cuModuleLoadDataEx(void **m, const char *ptx, unsigned n, const int *options, void **values) {
	BOUND
	if (n != 2 || options[0] != 5 || options[1] != 6) {
		return INVALID_VALUE;
	}
	*m = &module_;
	if (strstr(ptx, ".entry conv_f16x3")) {
		return OK;
	}
	snprintf((char *)values[0], (unsigned long)values[1], "ptxas fatal : no kernels");
	return INVALID_PTX;
}
static const void *pinned[64];
API cuMemHostRegister_v2(const void *p, unsigned long bytes, unsigned flags) {
	BOUND
	for (const void *&known : pinned) {
		if (!known && bytes && ((unsigned long)p | bytes) % 4096 == 0 && !flags) {
			known = p;
			return OK;
		}
	}
	return INVALID_VALUE;
}
API cuMemHostUnregister(const void *p) {
	BOUND
	for (const void *&known : pinned) {
		if (p && known == p) {
			known = nullptr;
			return OK;
		}
	}
	return INVALID_VALUE;
}
API cuModuleGetFunction(const void **f, void *m, const char *name) {
	BOUND
	*f = find(name);
	return *f && m == &module_ ? OK : NOT_FOUND;
}
static int allowed[sizeof kernels / sizeof *kernels]; // bytes of dynamic shared memory, 48 KB where it is 0
API cuFuncSetAttribute(const void *f, int attribute, int value) {
	BOUND
	if (attribute != 8 || value > (int)sizeof dynamic) {
		return INVALID_VALUE;
	}
	return allowed[(const Kernel *)f - kernels] = value, OK;
}
API cuLaunchKernel(const void *f, unsigned x, unsigned y, unsigned z, unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared, void *s, void **parameters, void **) {
	BOUND
	static int turns;
	const Kernel *const k = (const Kernel *)f;
	const int most = allowed[k - kernels] ? allowed[k - kernels] : 48 << 10;
	if (s != &stream || (int)shared > most || threads_x > 1024 || threads_y != 1 || threads_z != 1 || y > 65535 || z > 65535 || !x || !y || !z) {
		return INVALID_VALUE;
	}
	for (int i = 0; i < k->arguments; i++) {
		memcpy(&words[i], parameters[i], sizeof words[i]);
	}
	running.threads = (int)threads_x;
	running.blocks[0] = (int)x;
	running.blocks[1] = (int)y;
	running.blocks[2] = (int)z;
	return launch(k, (int)shared, turns++ % WAYS) ? LAUNCH_FAILED : OK;
}

API cuStreamCreate(void **s, unsigned) {
	BOUND
	return *s = &stream, OK;
}
API cuStreamSynchronize(void *s) { return s == &stream ? OK : INVALID_VALUE; }
API cuStreamDestroy_v2(void *s) { return s == &stream ? OK : INVALID_VALUE; }
static Event *made(void *e) {
	auto *event = static_cast<Event *>(e);
	return event >= events && event < events + sizeof events / sizeof *events && event->made ? event : nullptr;
}
API cuEventCreate(void **e, unsigned) {
	BOUND
	for (auto &event : events) {
		if (!event.made) {
			event.made = true;
			return *e = &event, OK;
		}
	}
	return OUT_OF_MEMORY;
}
API cuEventDestroy_v2(void *e) {
	Lock lock;
	return made(e) ? (made(e)->made = false, OK) : INVALID_VALUE;
}
API cuEventRecord(void *e, void *s) { return made(e) && s == &stream ? clock_gettime(CLOCK_MONOTONIC, &made(e)->at), OK : INVALID_VALUE; }
API cuEventQuery(void *e) { return made(e) ? OK : INVALID_VALUE; }
API cuEventElapsedTime(float *ms, void *from, void *to) {
	if (!made(from) || !made(to)) {
		return INVALID_VALUE;
	}
	timespec a = made(from)->at, b = made(to)->at;
	return *ms = 1e3f * (b.tv_sec - a.tv_sec) + 1e-6f * (b.tv_nsec - a.tv_nsec), OK;
}
