package importer

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"occlude/internal/onnx/onnxtest"
)

// TestRandomModels compares random chains of all that classifiers are made of
// with the reference, in full and incrementally.
func TestRandomModels(t *testing.T) {
	for seed := range uint64(250) {
		m := onnxtest.NewRandom(rand.New(rand.NewPCG(seed, 5)), onnxtest.RandomOptions{})
		opts := Options{}
		if m.Last {
			opts.Layout = "nhwc"
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { check(t, m.Model, opts) }) {
			t.Log(m.Story)
		}
	}
}
