package kernels

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArguments checks that the kernels of the module take the arguments that their
// structs hold: as many, and of the same types.
func TestArguments(t *testing.T) {
	entry := regexp.MustCompile(`(?s)\.entry (\w+)\((.*?)\)`)
	parameter := regexp.MustCompile(`\.param \.(\w+)`)
	found := map[string][]string{}
	for _, m := range entry.FindAllStringSubmatch(PTX, -1) {
		for _, p := range parameter.FindAllStringSubmatch(m[2], -1) {
			found[m[1]] = append(found[m[1]], p[1])
		}
	}
	types := map[string]string{"Int": "u32", "Float": "f32", "Pointer": "u64"}
	for _, a := range All() {
		var want []string
		each(reflect.ValueOf(a).Elem(), func(v reflect.Value) { want = append(want, types[v.Type().Name()]) })
		if got := found[a.Kernel()]; !slices.Equal(got, want) {
			t.Errorf("%s takes %v, its struct holds %v", a.Kernel(), got, want)
		}
		delete(found, a.Kernel())
	}
	for name := range found {
		t.Errorf("no struct holds the arguments of %s", name)
	}
}

// TestRead checks that arguments survive being passed.
func TestRead(t *testing.T) {
	for _, a := range All() {
		n := 0
		each(reflect.ValueOf(a).Elem(), func(v reflect.Value) {
			n++
			if v.CanInt() {
				v.SetInt(int64(-n))
			} else {
				v.SetUint(uint64(n) << 30)
			}
		})
		words := Words(a)
		b := reflect.New(reflect.TypeOf(a).Elem()).Interface().(Args)
		switch c := b.(type) {
		case *Conv:
			c.Name = a.Kernel()
		case *TensorConv:
			c.Name = a.Kernel()
		}
		if !Read(b, words) || !reflect.DeepEqual(a, b) || len(words) != n {
			t.Errorf("%+v became %+v", a, b)
		}
		if Read(b, words[1:]) {
			t.Errorf("%s: took an argument less", a.Kernel())
		}
	}
}

// TestAssembly assembles the module for the processors it is for, where there is ptxas, and
// checks that no registers are spilled but a few, and none where tensor cores wait for them.
func TestAssembly(t *testing.T) {
	ptxas := os.Getenv("PTXAS")
	if ptxas == "" {
		ptxas = "ptxas"
	}
	for _, arch := range []string{"sm_80", "sm_90"} {
		out, err := exec.Command(ptxas, "-v", "-arch="+arch, "-o", os.DevNull, "kernels.ptx").CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", arch, err, out)
		}
		for _, m := range regexp.MustCompile(`Function properties for (\w+)\s+.*?(\d+) bytes spill stores`).FindAllStringSubmatch(string(out), -1) {
			if len(m[2]) > 2 || strings.HasPrefix(m[1], "conv_f16x3") && m[2] != "0" {
				t.Errorf("%s: %s spills %s bytes", arch, m[1], m[2])
			}
		}
	}
}

// TestCompiled checks that the module is what its sources compile to, where there is the
// compiler.
func TestCompiled(t *testing.T) {
	if _, err := exec.LookPath("clang-19"); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "kernels.ptx")
	if out, err := exec.Command("./compile.sh", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(made)) != strings.TrimSpace(PTX) {
		t.Error("kernels.ptx is out of date; operators/gpu/kernels/compile.sh brings it up to date")
	}
}
