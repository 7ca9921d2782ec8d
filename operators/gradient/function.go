package gradient

import (
	"errors"
	"fmt"
	"sync"

	"occlude/internal/network"
)

// movers are the ONNX operators that only move elements.
var movers = map[string]bool{
	"Concat": true, "DepthToSpace": true, "Expand": true, "Flatten": true, "Gather": true, "GatherElements": true,
	"GatherND": true, "Identity": true, "Pad": true, "Reshape": true, "Slice": true, "SpaceToDepth": true, "Split": true,
	"Squeeze": true, "Tile": true, "Transpose": true, "Unsqueeze": true,
}

// maxLabels is how many labels a float32 can tell apart.
const maxLabels = 1 << 24

// function knows derivatives of operators that only move elements, without
// knowing where to: it runs them on labels.
func function(l *network.Layer, op network.Function) (rule, error) {
	labels := 0
	for _, in := range l.In {
		labels += in.Shape.Len()
	}
	if !movers[op.Name] || labels >= maxLabels {
		return nil, &UnknownError{l, "the operator " + op.Name}
	}
	origins := sync.OnceValues(func() ([]int, error) { return originsOf(l, op, labels) })
	return func(p *pass, l *network.Layer) (pull, error) {
		from, err := origins()
		if err != nil {
			return nil, err
		}
		first := make([]int, len(l.In)+1)
		for j, in := range l.In {
			first[j+1] = first[j] + in.Shape.Len()
		}
		return each(func(edge int, g []float32) ([]float32, error) {
			dx := p.zeros(l.In[edge].Shape.Len())
			for i, at := range from {
				if at >= first[edge] && at < first[edge+1] {
					dx[at-first[edge]] += g[i]
				}
			}
			return dx, nil
		}), nil
	}, nil
}

// originsOf finds which input element each output element is, -1 for those that
// are none: the function runs on the labels 1 to n, and on their negatives. What
// comes out as a label, and as its negative, has been moved; what is the same
// both times is a constant.
func originsOf(l *network.Layer, op network.Function, n int) ([]int, error) {
	var out [2][]float32
	for run, sign := range []float32{1, -1} {
		in, label := make([][]float32, len(l.In)), float32(0)
		for j, p := range l.In {
			in[j] = make([]float32, p.Shape.Len())
			for i := range in[j] {
				label++
				in[j][i] = sign * label
			}
		}
		var err error
		if out[run], err = op.Call(in); err != nil {
			return nil, err
		}
		if len(out[run]) != op.Out {
			return nil, fmt.Errorf("%d values instead of %d", len(out[run]), op.Out)
		}
	}
	from := make([]int, op.Out)
	for i, label := range out[0] {
		at := int(label) - 1
		switch {
		case label == out[1][i]:
			from[i] = -1
		case label != -out[1][i] || label != float32(at+1) || at < 0 || at >= n:
			return nil, errors.New("it does more than to move elements")
		default:
			from[i] = at
		}
	}
	return from, nil
}
