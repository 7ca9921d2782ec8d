//go:build cuda && linux

// The functions of the CUDA driver, found at run time. Package cu links against them and
// calls cuInit before main begins; with this in place one binary runs with and without a
// driver, and whoever wants a device asks occlude_open what there is.
#include <cuda.h>
#include <dlfcn.h>

#include "driver.h"

static void *driver;

static void *find(const char *name) { return driver ? dlsym(driver, name) : NULL; }

// cuInit says that all is well, for cu ends the process where it is not.
CUresult cuInit(unsigned int Flags) { return CUDA_SUCCESS; }

int occlude_open(const char **why) {
	if (!driver) {
		driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
		if (!driver) {
			*why = dlerror();
			return -1;
		}
	}
	CUresult (*init)(unsigned int) = (CUresult(*)(unsigned int))find("cuInit");
	if (!init) {
		*why = "libcuda.so.1 has no cuInit";
		return -1;
	}
	return init(0);
}

#define FUNCTION(name, symbol, parameters, arguments) \
	CUresult name parameters { \
		static CUresult(*found_) parameters; \
		CUresult(*function_) parameters = __atomic_load_n(&found_, __ATOMIC_RELAXED); \
		if (!function_) { \
			function_ = (CUresult(*) parameters)find(#symbol); \
			if (!function_) { \
				return CUDA_ERROR_NOT_INITIALIZED; \
			} \
			__atomic_store_n(&found_, function_, __ATOMIC_RELAXED); \
		} \
		return function_ arguments; \
	}
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <cuda_functions.h>

int occlude_allow_shared(void *function, int bytes) {
	return cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes);
}
