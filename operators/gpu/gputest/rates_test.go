package gputest

import (
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/soft"
)

// TestMeasurements counts what the smallest ones compute and move.
func TestMeasurements(t *testing.T) {
	if testing.Short() {
		t.Skip("only computes for long")
	}
	d := &soft.Device{}
	on := Card{d, gpu.NewDevice(d), 2}
	for name, want := range map[string]Rate{
		"queue a launch, host":                {},
		"a launch in a queue":                 {},
		"upload 256 bytes":                    {Bytes: 256},
		"download 256 bytes":                  {Bytes: 256},
		"softmax, 1000, 1x1 of 1x1":           {Bytes: 2 * 4 * (1000 + 1000)},
		"global mean, 2048, 8x8 of 8x8":       {Bytes: 2 * 4 * (64*2048 + 2048)},
		"concat, 128, 20x20 of 28x28":         {Bytes: 2 * 4 * 400 * (128 + 128 + 256)},
		"affine, 128, 20x20 of 28x28":         {Bytes: 2 * 4 * 400 * (128 + 128)},
		"upload 1048576 bytes, pinned":        {Bytes: 1 << 20},
		"conv 3x3, 96 -> 96, 20x20 of 56x56":  {FLOP: 2 * 2 * 400 * 9 * 96},
		"conv 1x1, 256 -> 64, 20x20 of 56x56": {FLOP: 2 * 2 * 400 * 256 * 64},
	} {
		m := find(t, name)
		got, err := m.Run(t.Context(), on)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Seconds = 0; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func find(t *testing.T, name string) Measurement {
	t.Helper()
	for _, m := range Measurements() {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("there is no %q", name)
	return Measurement{}
}
