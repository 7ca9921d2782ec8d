package cpu

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/operatorstest"
)

// slowNetwork takes many seconds to run, more than a test waits for. Its
// second layer calls whenRunning.
func slowNetwork(t *testing.T, whenRunning func()) *network.Network {
	t.Helper()
	in := network.Shape{H: 1, W: 1, C: 64}
	net := network.New("image", in)
	l := net.Input()
	add := func(op network.Op) {
		var err error
		if l, err = net.Add(op.Kind(), op, l); err != nil {
			t.Fatal(err)
		}
	}
	add(network.Function{Name: "signal", Out: 64, Call: func(in [][]float32) ([]float32, error) {
		whenRunning()
		return in[0], nil
	}})
	add(network.Pad{Bottom: 700, Right: 700, Mode: network.PadEdge})
	for range 4 {
		add(convOf(64, 64, 3, 1, 1))
	}
	add(network.GlobalPool{Fn: network.Mean})
	return net
}

// TestCancel checks that a run and a base pass end with the context's cause,
// long before they would have finished, and that the worker works on.
func TestCancel(t *testing.T) {
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	net := slowNetwork(t, func() { cancel(cause) })
	p := program(t, net)
	image := networktest.Image(rand.New(rand.NewPCG(1, 140)), net.Input().Shape)
	views := &operators.Views{Layers: constants(net)}
	batch := operatorstest.Updates(net, []operators.Tile{operators.WholeTile(net.Input().Shape, image.Float32s())})
	w := p.newWorker()
	if err := w.Run(ctx, views, batch); !errors.Is(err, cause) {
		t.Errorf("the run ended with %v", err)
	}
	checkReturned(t, "a cancelled run", w)

	ctx, cancel = context.WithCancelCause(t.Context())
	defer cancel(nil)
	if _, err := p.Base(ctx, image, 2); !errors.Is(err, cause) {
		t.Errorf("the base pass ended with %v", err)
	}

	// A context that has ended starts nothing, and the next one runs.
	small := networktest.Random(rand.New(rand.NewPCG(2, 140)), networktest.Options{})
	q := program(t, small)
	image = networktest.Image(rand.New(rand.NewPCG(3, 140)), small.Input().Shape)
	views = base(t, q, image, 1)
	batch = operatorstest.Updates(small, []operators.Tile{operators.WholeTile(small.Input().Shape, image.Float32s())})
	worker := q.NewWorker()
	if err := worker.Run(ctx, views, batch); !errors.Is(err, cause) {
		t.Errorf("a run in an ended context ended with %v", err)
	}
	operatorstest.Run(t, worker, views, batch)
	if !operatorstest.SameBits(batch[0].Out, views.Output(small.Output.Index)) {
		t.Error("the worker is no good after a cancelled run")
	}
}

// TestCancelInsideLayer stops a single long layer from outside.
func TestCancelInsideLayer(t *testing.T) {
	in := network.Shape{H: 1200, W: 1200, C: 64}
	k := newConv(convOf(64, 64, 3, 1, 1), nil, simd.Best())
	w := (&Program{net: &network.Network{}}).newWorker()
	ctx, cancel := context.WithCancel(t.Context())
	defer w.watch(ctx)()
	ended := make(chan error)
	go func() {
		out := operators.WholeTile(in, make([]float32, in.Len()))
		source := operators.Source{Shape: in, View: operators.WholeTile(in, make([]float32, in.Len()))}
		ended <- k.forward(w, []task{{in: []operators.Source{source}, out: out}})
	}()
	cancel()
	if err := <-ended; !errors.Is(err, errStopped) {
		t.Errorf("ended with %v", err)
	}
}
