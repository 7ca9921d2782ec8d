// What cuda.go asks of driver.c.
#pragma once

// occlude_open finds the driver and starts it. It gives a CUresult, or -1 with a text
// that stays when there is no driver.
int occlude_open(const char **why);
