package gradient_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gradient"
)

// Gradients of random networks, at every tensor, agree with finite differences.
func TestRandomNetworks(t *testing.T) {
	var c tally
	unknown := 0
	seeds := uint64(150)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 77))
		net := networktest.Random(rng, networktest.Options{Side: 12})
		image := networktest.Image(rng, net.Input().Shape)
		o := gradient.Objective{Kind: gradient.LogOdds, Class: rng.IntN(5)}
		if _, err := gradient.New(net, gradient.Options{}); err != nil {
			var u *gradient.UnknownError
			if !errors.As(err, &u) || u.What != "the operator running sum" {
				t.Fatalf("seed %d: %v", seed, err)
			}
			unknown++
			continue
		}
		c.check(t, rng, net, image, o, func(*network.Layer) bool { return rng.IntN(3) == 0 })
		if t.Failed() {
			for _, l := range net.Layers {
				t.Log(l.Index, l, l.Op.Detail(), l.Shape)
			}
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%+v, %d networks with an unknown operator", c, unknown)
	if c.compared < 2*int(seeds) || c.kinks > c.compared/10 || unknown == 0 || unknown > int(seeds)/3 {
		t.Errorf("%+v with %d networks of an unknown operator: too little was compared", c, unknown)
	}
}
