package cpu

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/region"
)

// faulty is a kernel with a bug.
type faulty struct{}

func (faulty) forward(*worker, []task) error { panic("a bug") }

// A kernel that panics in a goroutine of the base pass must not take the
// process down.
func TestBasePassTurnsPanicsIntoErrors(t *testing.T) {
	n := network.New("image", network.Shape{H: 16, W: 16, C: 2})
	if _, err := n.Add("relu", network.Pointwise{Act: network.Activation{Fn: network.Relu}}, n.Input()); err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), n, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.kernels[1] = faulty{}
	_, err = p.Base(context.Background(), networktest.Image(rand.New(rand.NewPCG(1, 1)), n.Input().Shape), 2)
	if d := (*defect.Defect)(nil); !errors.As(err, &d) || d.Value != "a bug" {
		t.Errorf("the error is %v", err)
	}
}

// Where a patch covers nearly all of what a mean was made of, the clean mean's
// rounding must not be what is left.
func TestGlobalMeanSurvivesCancellation(t *testing.T) {
	n := network.New("image", network.Shape{H: 16, W: 16, C: 1})
	if _, err := n.Add("mean", network.GlobalPool{Fn: network.Mean}, n.Input()); err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), n, Options{})
	if err != nil {
		t.Fatal(err)
	}
	image := networktest.Image(rand.New(rand.NewPCG(5, 5)), n.Input().Shape)
	values := image.Data().([]float32)
	want := 0.0
	for i := range values {
		values[i] *= 0.01
		want += float64(values[i])
	}
	want = (want - float64(values[0])) / float64(len(values))
	values[0] = 1e6
	views, err := p.Base(context.Background(), image, 1)
	if err != nil {
		t.Fatal(err)
	}
	patch := region.Of(0, 0, 1, 1)
	out := []float32{0}
	u := operators.Update{Patch: operators.NewTile(patch, 1, []float32{0}), Rects: n.Trace(patch, nil), Out: out}
	if err := p.NewWorker().Run(context.Background(), views, []operators.Update{u}); err != nil {
		t.Fatal(err)
	}
	if d := float64(out[0]) - want; d > 1e-8 || d < -1e-8 {
		t.Errorf("the mean is %v, want %v", out[0], want)
	}
}
