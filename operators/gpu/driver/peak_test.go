package driver

import (
	"math"
	"testing"
)

// TestPeak has the figures that the makers of two cards print: 19.5 and 312 TFLOP/s and 1555
// GB/s of an A100 with 40 GB; 67 and 989 TFLOP/s and 3.35 TB/s of an H100, whose tensor cores
// are quoted at a lower clock.
func TestPeak(t *testing.T) {
	for _, c := range []struct {
		of   Properties
		want Peak
	}{
		{Properties{Capability: [2]int{8, 0}, Processors: 108, Clock: 1410e6, MemoryClock: 1215e6, MemoryBus: 5120}, Peak{19.5e12, 312e12, 1555e9}},
		{Properties{Capability: [2]int{9, 0}, Processors: 132, Clock: 1980e6, MemoryClock: 2619e6, MemoryBus: 5120}, Peak{67e12, 989e12 * 1980 / 1830, 3.35e12}},
		{Properties{Capability: [2]int{8, 9}, Processors: 128}, Peak{}},
	} {
		got := c.of.Peak()
		for _, p := range [][2]float64{{got.Float32, c.want.Float32}, {got.Float16, c.want.Float16}, {got.Memory, c.want.Memory}} {
			if math.Abs(p[0]-p[1]) > .005*p[1] {
				t.Errorf("%+v: %g, want %g", c.of, p[0], p[1])
			}
		}
	}
}
