// Package memory tells how much memory there is and how much of it arrays take.
//
//	Arrays     a set of arrays, each counted once whoever shares it
//	Available  what the machine, or the control group that this process is in,
//	           has left
//	Resident   what this process has
//
// # What a process takes
//
// Nearly all memory of a process that explains images is float32 arrays: weights
// as they were read, weights in the order in which kernels read them, views,
// gradients, the workers' updates. They are known before anything is allocated,
// or can be counted. Beside them the process has its code and the runtime's own
// data, which Process stands for, and garbage. What is held is predicted and
// counted; garbage is neither: the collector runs when the heap has grown by a
// quarter (see main.go), and earlier where a memory limit is near.
//
// # What is free
//
// Linux tells by MemAvailable in /proc/meminfo, which counts the page cache that
// can be dropped. A control group may allow less: its limit minus what its
// processes use, of which inactive_file, the pages of files that nobody used
// lately, can be dropped likewise. The limits of all groups around it count too.
// Versions 1 and 2 of control groups are read, and both where both are mounted.
// Where there is no /proc nothing is known.
package memory
