package cpu

import (
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// stagedNetwork is wide at first and heavy later, with a branch that is read
// again at the end, so that batches run in stages and an update outlives its own.
func stagedNetwork(t *testing.T) *network.Network {
	t.Helper()
	net := network.New("image", network.Shape{H: 48, W: 48, C: 8})
	add := func(name string, op network.Op, in ...*network.Layer) *network.Layer {
		l, err := net.Add(name, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	two := region.Window{Kernel: 2, Stride: 2, Dilation: 1}
	halve := network.Pool{Window: network.Window{Y: two, X: two}, Max: true}
	wide := add("wide", convOf(8, 32, 3, 1, 1), net.Input())
	early := add("early", network.Channels{Index: []int{0, 1, 2, 3}}, wide)
	l := add("halve", halve, wide)
	l = add("quarter", halve, l)
	l = add("eighth", halve, l)
	l = add("heavy", convOf(32, 384, 3, 1, 1), l)
	l = add("heavier", convOf(384, 256, 3, 1, 1), l)
	late := add("vector", network.GlobalPool{Fn: network.Largest}, l)
	kept := add("kept", network.GlobalPool{Fn: network.Largest}, early)
	add("both", network.Concat{}, late, kept)
	return net
}

// TestStagesOfABatch checks that a batch which runs in several stages, and in
// several groups in some, gives the bits that its positions give alone, and that
// no memory stays behind.
func TestStagesOfABatch(t *testing.T) {
	net := stagedNetwork(t)
	p := program(t, net)
	in := net.Input().Shape
	rng := rand.New(rand.NewPCG(1, 220))
	views := base(t, p, networktest.Image(rng, in), 2)
	tiles := []operators.Tile{patchOf(rng, in, in.Whole())} // the first decides about the stages
	for _, r := range append(patches(rng, in), patches(rng, in)...) {
		tiles = append(tiles, patchOf(rng, in, r))
	}
	batch := operatorstest.Updates(net, tiles)
	stages := p.stages(batch)
	if len(stages) < 2 || stages[0].Group*2 > len(batch) {
		t.Fatalf("%d positions run in %v: choose another network", len(batch), stages)
	}
	w := p.newWorker()
	operatorstest.Run(t, w, views, batch)
	checkReturned(t, "a batch in stages", w)
	alone := operatorstest.Updates(net, tiles)
	for i := range alone {
		operatorstest.Run(t, w, views, alone[i:i+1])
		if !operatorstest.SameBits(batch[i].Out, alone[i].Out) {
			t.Errorf("position %d, patch %s, differs", i, tiles[i].Rect)
		}
	}
}
