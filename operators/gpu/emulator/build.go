package emulator

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"occlude/operators/gpu/kernels"
)

//go:embed *.cu *.h
var sources embed.FS

// Compiler is what compiles the kernels.
const Compiler = "clang-19"

// Build compiles the emulator into a folder and gives its path.
func Build(folder string) (string, error) {
	return compile(folder, "emulate", "emulate.cu")
}

// BuildDriver compiles a libcuda.so.1 into a folder, whose only device is the emulator: what
// operators/gpu/cuda finds there when the dynamic linker looks into the folder.
func BuildDriver(folder string) (string, error) {
	return compile(folder, "libcuda.so.1", "libcuda.cu", "-shared", "-fPIC", "-fvisibility=hidden")
}

// compile compiles a source together with the kernels'.
func compile(folder, output, source string, flags ...string) (string, error) {
	compiler, err := exec.LookPath(Compiler)
	if err != nil {
		return "", err
	}
	for _, fs := range []embed.FS{sources, kernels.Sources} {
		files, err := fs.ReadDir(".")
		if err != nil {
			return "", err
		}
		for _, f := range files {
			data, err := fs.ReadFile(f.Name())
			if err != nil {
				return "", err
			}
			if err := os.WriteFile(filepath.Join(folder, f.Name()), data, 0o600); err != nil {
				return "", err
			}
		}
	}
	path := filepath.Join(folder, output)
	args := append([]string{
		"-x", "c++", "-std=c++20", "-O1", "-march=native", "-w", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
		"-fsanitize=alignment,signed-integer-overflow,bounds,null", "-fsanitize-trap=all",
		"-o", path, filepath.Join(folder, source), "-lm",
	}, flags...)
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", Compiler, err, out)
	}
	return path, nil
}
