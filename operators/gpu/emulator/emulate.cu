// Runs launches that come on the standard input, a line each: a kernel's name, the
// grid, the threads of a block and its bytes of dynamic shared memory, the way (see launch.h), and
// the arguments. Memory is a file, at the address at which whoever writes the lines
// has it in mind. Each line is answered by one.
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

// By the linker, around what stands in shared memory.
extern char __start_shared_memory[], __stop_shared_memory[];

int main(int, char **argv) {
	const Word base = strtoul(argv[2], nullptr, 0), size = strtoul(argv[3], nullptr, 0);
	const int file = open(argv[1], O_RDWR);
	void *const memory = mmap((void *)base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
	if (memory != (void *)base) {
		fprintf(stderr, "cannot map %lu bytes of %s\n", size, argv[1]);
		return 1;
	}
	if (!watch(watched[0], __start_shared_memory, __stop_shared_memory - __start_shared_memory, false) || !watch(watched[1], memory, size, true)) {
		fprintf(stderr, "cannot watch %lu bytes\n", size);
		return 1;
	}
	char name[64];
	int shared, way, n;
	while (scanf("%63s %d %d %d %d %d %d %d", name, &running.blocks[0], &running.blocks[1], &running.blocks[2], &running.threads, &shared, &way, &n) == 8) {
		if (n > 64 || running.threads > 1024) {
			return 2;
		}
		for (int i = 0; i < n; i++) {
			if (scanf("%lx", &words[i]) != 1) {
				return 3;
			}
		}
		const Kernel *const k = find(name);
		if (!k || k->arguments != n) {
			printf("%s with %d arguments\n", k ? "a kernel" : "no kernel", n);
		} else {
			*fault = 0;
			const char *const wrong = launch(k, shared, way);
			printf("%s\n", *fault ? fault : wrong ? wrong : "ok");
		}
		fflush(stdout);
	}
	return 0;
}
