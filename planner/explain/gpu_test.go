package explain

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"occlude/operators/gpu/driver"
	"occlude/planner"
)

// machine has made-up GPUs, by name: cuda:0, of which the committed profile tells; cuda:1, the
// same with little memory; cuda:2, of which nothing was measured; and no other.
type machine struct{}

func (machine) Device(name string) (*planner.Device, error) {
	d := &planner.Device{Name: name, Free: 6 << 30, Properties: driver.Properties{
		Name: "Test GPU", Capability: [2]int{8, 0}, Processors: 20, Memory: 8 << 30, Clock: 1e9, MemoryClock: 2e9, MemoryBus: 1024,
	}}
	switch name {
	case "cuda:0":
	case "cuda:1":
		d.Free = 1 << 20
	case "cuda:2":
		d.Properties.Name = "Unknown GPU"
	default:
		return nil, errors.New("there is no GPU number 3; there are 3, counted from 0")
	}
	return d, nil
}

// TestGoldenGPU shows plans on GPUs. Beside show, set changes a setting.
func TestGoldenGPU(t *testing.T) {
	files, err := filepath.Glob("testdata/gpu/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			p, settings := benchOf(t, machine{})
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd == "set" {
					name, value, _ := strings.Cut(d.Input, " = ")
					if err := settings.Set(name, value); err != nil {
						d.Fatalf(t, "%v", err)
					}
					return ""
				}
				var b bytes.Buffer
				if err := show(t, p, d.Input, &b); err != nil {
					d.Fatalf(t, "%v", err)
				}
				return b.String()
			})
		})
	}
}
