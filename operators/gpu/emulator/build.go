package emulator

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"occlude/operators/gpu/kernels"
)

//go:embed emulate.h emulate.cu
var sources embed.FS

// Compiler is what compiles the kernels.
const Compiler = "clang-19"

// Build compiles the emulator into a folder and gives its path.
func Build(folder string) (string, error) {
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
	path := filepath.Join(folder, "emulate")
	cmd := exec.Command(compiler, "-x", "c++", "-std=c++20", "-O1", "-march=native", "-w",
		"-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
		"-fsanitize=alignment,signed-integer-overflow,bounds,null", "-fsanitize-trap=all",
		"-o", path, filepath.Join(folder, "emulate.cu"), "-lm")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", Compiler, err, out)
	}
	return path, nil
}
