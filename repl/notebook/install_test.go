package notebook

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, c := range []struct{ jupyter, xdg, want string }{
		{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "a")},
		{"", filepath.Join(dir, "b"), filepath.Join(dir, "b", "jupyter")},
		{"", "", filepath.Join(dir, ".local", "share", "jupyter")},
	} {
		t.Setenv("JUPYTER_DATA_DIR", c.jupyter)
		t.Setenv("XDG_DATA_HOME", c.xdg)
		if got, err := UserData(); runtime.GOOS == "linux" && (err != nil || got != c.want) {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
	for range 2 { // a second time replaces
		folder, err := Install(PrefixData(dir), "/opt/occlude")
		if err != nil || folder != filepath.Join(dir, "share", "jupyter", "kernels", "occlude") {
			t.Fatalf("%s, %v", folder, err)
		}
		text, err := os.ReadFile(filepath.Join(folder, "kernel.json"))
		if err != nil {
			t.Fatal(err)
		}
		var spec struct {
			Argv []string
			Mode string `json:"interrupt_mode"`
		}
		if err := json.Unmarshal(text, &spec); err != nil || spec.Mode != "message" || strings.Join(spec.Argv, " ") != "/opt/occlude kernel run {connection_file}" {
			t.Errorf("%s: %v", text, err)
		}
		for size, name := range map[int]string{32: "logo-32x32.png", 64: "logo-64x64.png"} {
			f, err := os.Open(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(f)
			f.Close()
			if err != nil || m.Bounds().Dx() != size || m.Bounds().Dy() != size {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := Install(dir, "/tmp/go-build123/b001/exe/occlude"); err == nil {
		t.Error("a binary that will be gone is installed")
	}
}
