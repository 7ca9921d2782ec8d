package cpu

import (
	"occlude/internal/network"
	"occlude/operators/cpu/simd"
)

// pointwise applies a function to every value.
type pointwise struct{ epilogue epilogue }

func (k pointwise) forward(w *worker, tasks []task) error {
	return eachRows(w, tasks, func(t *task, y int, out, in []float32) {
		copy(out, in)
		k.epilogue.row(w, t, y, t.out.Rect.X.Lo, out)
	})
}

// prelu scales negative values by a slope of their channel.
type prelu struct {
	set   *simd.Set
	slope []float32
}

func (k prelu) forward(w *worker, tasks []task) error {
	return eachRows(w, tasks, func(t *task, y int, out, in []float32) {
		k.set.PRelu(out, in, k.slope)
		if t.departure != nil {
			w.tangent(t, y, t.out.Rect.X.Lo, out, in)
		}
	})
}

// affine scales and shifts by channel.
type affine struct {
	set          *simd.Set
	scale, shift []float32
	epilogue     epilogue
}

func newAffine(op network.Affine, act activation, set *simd.Set) affine {
	return affine{set, op.Scale, op.Shift, newEpilogue(op.Act, act)}
}

func (k affine) forward(w *worker, tasks []task) error {
	return eachRows(w, tasks, func(t *task, y int, out, in []float32) {
		low, high := k.epilogue.bounds(t)
		k.set.Affine(out, in, k.scale, k.shift, low, high)
		k.epilogue.row(w, t, y, t.out.Rect.X.Lo, out)
	})
}
