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
	if err := writeSources(folder); err != nil {
		return "", err
	}
	return compileProcess(folder)
}

// BuildDriver compiles a libcuda.so.1 into a folder, whose only device is the emulator: what
// operators/gpu/cuda finds there when the dynamic linker looks into the folder.
func BuildDriver(folder string) (string, error) {
	if err := writeSources(folder); err != nil {
		return "", err
	}
	return compile(folder, "libcuda.so.1", "libcuda.cu", "-shared", "-fPIC", "-fvisibility=hidden")
}

// writeSources writes the emulator's sources and the kernels' into a folder.
func writeSources(folder string) error {
	for _, fs := range []embed.FS{sources, kernels.Sources} {
		files, err := fs.ReadDir(".")
		if err != nil {
			return err
		}
		for _, f := range files {
			data, err := fs.ReadFile(f.Name())
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, f.Name()), data, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// compileProcess compiles the process of a Device, which watches all accesses: see watch.h, which
// takes the place of what -fsanitize=thread links.
func compileProcess(folder string) (string, error) {
	return compile(folder, "emulate", "emulate.cu", "-fsanitize=thread", "-fno-sanitize-link-runtime", "-mllvm", "-tsan-instrument-func-entry-exit=0")
}

// compile compiles a source in a folder, contracting multiplications and additions as for a GPU.
func compile(folder, output, source string, flags ...string) (string, error) {
	compiler, err := exec.LookPath(Compiler)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, output)
	args := append([]string{
		"-x", "c++", "-std=c++20", "-O1", "-march=native", "-ffp-contract=fast", "-w", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
		"-fsanitize=alignment,signed-integer-overflow,bounds,null", "-fsanitize-trap=all",
		"-o", path, filepath.Join(folder, source), "-lm",
	}, flags...)
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", Compiler, err, out)
	}
	return path, nil
}
