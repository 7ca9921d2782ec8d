// Package freelist keeps account of the free parts of a piece of memory, for whom
// hands out blocks of it: first fit, from the bottom. It knows no memory itself, so
// that what blocks will take can be gone through beforehand, with the sizes alone:
// the processor's workers have their arenas by it, and the planner foretells how
// large those become.
package freelist
