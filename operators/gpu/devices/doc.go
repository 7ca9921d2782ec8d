// Package devices finds GPUs by the names that people give them: cuda:0 is the first.
//
// Opening a GPU takes a good part of a second and memory of the host, so it is done when
// somebody asks for one, and once: a Registry belongs to a process, or to a test, and keeps
// what it opened as well as the reason why something could not be. What opens them is handed
// in; package cuda does it for NVIDIA's GPUs, and package soft stands in for one in tests.
package devices
