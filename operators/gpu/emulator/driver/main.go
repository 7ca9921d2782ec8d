// Driver compiles a libcuda.so.1 whose only device is the emulator, so that programs built with
// -tags cuda can be tried where there is no GPU. It needs clang 19.
//
//	go run ./operators/gpu/emulator/driver DIR
//	LD_LIBRARY_PATH=DIR ./occlude ...
package main

import (
	"fmt"
	"os"

	"occlude/operators/gpu/emulator"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "driver: name the folder for libcuda.so.1")
		os.Exit(2)
	}
	err := os.MkdirAll(os.Args[1], 0o755)
	if err == nil {
		_, err = emulator.BuildDriver(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}
