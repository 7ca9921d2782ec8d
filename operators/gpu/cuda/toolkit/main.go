// Toolkit writes what `go build -tags cuda` needs of CUDA, so that no CUDA has to be
// installed where it is built:
//
//	go run ./operators/gpu/cuda/toolkit -out DIR
//	CGO_CFLAGS=-IDIR CGO_LDFLAGS=-LDIR go build -tags cuda
//
// That is a cuda.h, made of the declarations that gorgonia.org/cu itself ships for its
// generator (CUDA 11.0, preprocessed); functions that stand for those of the driver until
// it is found (see package cuda); and an empty libcuda.a, for cu asks the linker for one.
// Nothing of it is kept in the repository.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	out := flag.String("out", "", "the folder to write to, which is made")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "toolkit:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	if out == "" {
		return fmt.Errorf("-out names no folder")
	}
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gorgonia.org/cu").Output()
	if err != nil {
		return fmt.Errorf("finding gorgonia.org/cu: %w", err)
	}
	shipped, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), "cmd", "genlib", "cuda.h"))
	if err != nil {
		return err
	}
	header, functions, err := generate(string(shipped))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{"cuda.h": header, "cuda_functions.h": functions, "libcuda.a": "!<arch>\n"} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// begin is the first of CUDA's own declarations; before it stand those of C's headers.
const begin = "typedef uint32_t cuuint32_t;"

// missing is what the preprocessor took away, and names that cu uses though CUDA 11 has
// dropped them.
const missing = `
#define CU_TRSF_READ_AS_INTEGER 1
#define CU_TRSF_NORMALIZED_COORDINATES 2
#define CU_TARGET_COMPUTE_10 10
#define CU_TARGET_COMPUTE_11 11
#define CU_TARGET_COMPUTE_12 12
#define CU_TARGET_COMPUTE_13 13
`

// versions are the functions that the driver of CUDA 11.0 has under a name with a
// version. That without one is an older function with other types.
var versions = strings.Fields(`
	cuDeviceTotalMem_v2 cuDevicePrimaryCtxRelease_v2 cuDevicePrimaryCtxReset_v2 cuDevicePrimaryCtxSetFlags_v2
	cuCtxCreate_v2 cuCtxDestroy_v2 cuCtxPopCurrent_v2 cuCtxPushCurrent_v2
	cuModuleGetGlobal_v2 cuLinkCreate_v2 cuLinkAddData_v2 cuLinkAddFile_v2
	cuMemGetInfo_v2 cuMemAlloc_v2 cuMemAllocPitch_v2 cuMemFree_v2 cuMemGetAddressRange_v2 cuMemAllocHost_v2
	cuMemHostGetDevicePointer_v2 cuMemHostRegister_v2
	cuMemcpyHtoD_v2 cuMemcpyDtoH_v2 cuMemcpyDtoD_v2 cuMemcpyDtoA_v2 cuMemcpyAtoD_v2 cuMemcpyHtoA_v2 cuMemcpyAtoH_v2
	cuMemcpyAtoA_v2 cuMemcpy2D_v2 cuMemcpy2DUnaligned_v2 cuMemcpy3D_v2 cuMemcpyHtoDAsync_v2 cuMemcpyDtoHAsync_v2
	cuMemcpyDtoDAsync_v2 cuMemcpyHtoAAsync_v2 cuMemcpyAtoHAsync_v2 cuMemcpy2DAsync_v2 cuMemcpy3DAsync_v2
	cuMemsetD8_v2 cuMemsetD16_v2 cuMemsetD32_v2 cuMemsetD2D8_v2 cuMemsetD2D16_v2 cuMemsetD2D32_v2
	cuArrayCreate_v2 cuArrayGetDescriptor_v2 cuArray3DCreate_v2 cuArray3DGetDescriptor_v2
	cuStreamDestroy_v2 cuEventDestroy_v2 cuTexRefSetAddress_v2 cuTexRefGetAddress_v2 cuTexRefSetAddress2D_v3
	cuGraphicsResourceGetMappedPointer_v2 cuGraphicsResourceSetMapFlags_v2 cuIpcOpenMemHandle_v2`)

var (
	prototype = regexp.MustCompile(`(?s)CUresult\s+(cu\w+)\s*\(([^;{}]*?)\)\s*;`)
	lastName  = regexp.MustCompile(`\w+$`)
)

// generate makes the header, and the functions that find those of the driver.
func generate(shipped string) (header, functions string, err error) {
	at := strings.Index(shipped, begin)
	if at < 0 {
		return "", "", fmt.Errorf("%q is not in the header that gorgonia.org/cu ships", begin)
	}
	header = "// Made by operators/gpu/cuda/toolkit.\n#pragma once\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n" +
		shipped[at:] + missing
	symbols := map[string]string{}
	for _, v := range versions {
		symbols[v[:strings.LastIndex(v, "_")]] = v
	}
	var text strings.Builder
	text.WriteString("// Made by operators/gpu/cuda/toolkit: FUNCTION(name, symbol, parameters, arguments) for each of the driver's but cuInit.\n")
	for _, f := range prototype.FindAllStringSubmatch(shipped[at:], -1) {
		name, parameters := f[1], strings.Join(strings.Fields(f[2]), " ")
		if name == "cuInit" {
			continue // which driver.c has itself
		}
		var arguments []string
		for p := range strings.SplitSeq(parameters, ",") {
			if p = strings.TrimSpace(p); p != "" && p != "void" {
				arguments = append(arguments, lastName.FindString(p))
			}
		}
		symbol := name
		if v, ok := symbols[name]; ok {
			symbol = v
		}
		fmt.Fprintf(&text, "FUNCTION(%s, %s, (%s), (%s))\n", name, symbol, parameters, strings.Join(arguments, ", "))
	}
	return header, text.String(), nil
}
