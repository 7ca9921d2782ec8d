// What cuda.go asks of driver.c.
#pragma once

// occlude_open finds the driver and starts it. It gives a CUresult, or -1 with a text
// that stays when there is no driver.
int occlude_open(const char **why);

// occlude_allow_shared lets launches of a function, a CUfunction, give a block so many bytes
// of dynamic shared memory, of which it may have 48 KB else. It gives a CUresult.
int occlude_allow_shared(void *function, int bytes);
