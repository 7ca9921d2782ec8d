package importer

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/planner/rewrite"
)

// TestMutilatedModels imports random models in which a few things were changed
// blindly: whatever comes out, it comes soon and no lowering slips.
func TestMutilatedModels(t *testing.T) {
	accepted := 0
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 6))
		g := onnxtest.NewRandom(rng, onnxtest.RandomOptions{})
		for range 1 + rng.IntN(3) {
			mutilate(rng, g.Proto.Graph)
		}
		m, err := onnx.Decode(g.Bytes(), "")
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		r, err := Import(ctx, m, Options{})
		cancel()
		switch {
		case err == nil:
			accepted++
			if _, _, err := rewrite.Optimize(r.Net, nil); err != nil {
				t.Errorf("seed %d (%s): %v", seed, g.Story, err)
			}
		case strings.Contains(err.Error(), "internal error"), ctx.Err() == context.DeadlineExceeded:
			t.Errorf("seed %d (%s): %v", seed, g.Story, err)
		}
	}
	if accepted == 0 {
		t.Error("nothing was ever accepted: the models are not changed a little, but broken")
	}
}

// odd numbers are what goes wrong most often.
var odd = []int64{0, 1, -1, 2, -2, 3, 5, 7, 100, 16384, 1 << 20, 1 << 31, -1 << 31, 1<<63 - 1, -1 << 63}

func mutilate(rng *rand.Rand, g *protos.GraphProto) {
	some := func() int64 { return odd[rng.IntN(len(odd))] }
	n := g.Node[rng.IntN(len(g.Node))]
	switch rng.IntN(8) {
	case 0: // another operator
		n.OpType = g.Node[rng.IntN(len(g.Node))].OpType
	case 1: // another input
		if len(n.Input) > 0 {
			other := g.Node[rng.IntN(len(g.Node))]
			names := append([]string{"", "x"}, other.Input...)
			n.Input[rng.IntN(len(n.Input))] = names[rng.IntN(len(names))]
		}
	case 2: // fewer inputs
		n.Input = n.Input[:rng.IntN(len(n.Input)+1)]
	case 3: // more inputs
		n.Input = append(n.Input, "x")
	case 4: // another number in an attribute
		if len(n.Attribute) > 0 {
			a := n.Attribute[rng.IntN(len(n.Attribute))]
			if a.I = some(); len(a.Ints) > 0 {
				a.Ints[rng.IntN(len(a.Ints))] = some()
			}
		}
	case 5: // no attribute, or a longer list
		if len(n.Attribute) > 0 {
			if a := n.Attribute[0]; len(a.Ints) > 0 && rng.IntN(2) == 0 {
				a.Ints = append(a.Ints, some())
			} else {
				n.Attribute = n.Attribute[1:]
			}
		}
	case 6: // a constant of another shape
		if len(g.Initializer) > 0 {
			p := g.Initializer[rng.IntN(len(g.Initializer))]
			switch rng.IntN(3) {
			case 0:
				p.Dims = append(p.Dims, 1)
			case 1:
				p.Dims = append([]int64{1}, p.Dims...)
			default:
				p.Dims = append(p.Dims, 0)
				p.RawData = nil
			}
		}
	default: // other numbers in a constant of shapes and axes
		for _, p := range g.Initializer {
			if p.DataType == int32(onnx.Int64.Code()) && len(p.RawData) >= 8 && rng.IntN(2) == 0 {
				v := uint64(some())
				at := rng.IntN(len(p.RawData)/8) * 8
				for i := range 8 {
					p.RawData[at+i] = byte(v >> (8 * i))
				}
			}
		}
	}
}
