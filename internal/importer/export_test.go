package importer

import (
	"context"
	"math/rand/v2"

	"occlude/internal/memory/memorytest"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// narrow are limits within which hostile models are tried quickly.
var narrow = limits{values: 1 << 14, padded: 1 << 13, made: 1 << 16, steps: 1 << 21}

// MostValues is how many values a map of ImportSmall's may have.
const MostValues = 1 << 14

// ImportSmall is Import within small limits.
func ImportSmall(ctx context.Context, m *onnx.Model, opts Options) (*Result, error) {
	return within(ctx, narrow, m, opts)
}

// OperatorModels are small models of every operator that there is, by name.
func OperatorModels(opset int) map[string][]byte { return operatorModels(opset) }

// Mutilated is a random model in which so many things were changed blindly.
func Mutilated(rng *rand.Rand, changes int) []byte {
	g := onnxtest.NewRandom(rng, onnxtest.RandomOptions{})
	for range changes {
		mutilate(rng, g.Proto.Graph)
	}
	return g.Bytes()
}

// Allocated is how many bytes of memory were asked for so far.
func Allocated() uint64 { return memorytest.Allocated() }
