package cpu

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
)

// A team computes what the base pass does, whichever program it ran before.
func TestTeam(t *testing.T) {
	teams := []*Team{NewTeam(1), NewTeam(3)}
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		net := networktest.Random(rng, networktest.Options{})
		p := program(t, net)
		image := networktest.Image(rng, net.Input().Shape)
		want, err := p.Base(context.Background(), image, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, team := range teams {
			got, err := team.Run(context.Background(), p, image.Data().([]float32))
			if err != nil {
				t.Fatal(err)
			}
			for i, l := range net.Layers {
				if !slices.Equal(got[i], want.Output(i)) {
					t.Fatalf("seed %d: %s differs", seed, l)
				}
				if _, ok := l.Op.(network.Const); i > 0 && !ok {
					team.Give(got[i])
				}
			}
		}
	}
}

func TestTeamRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	net := networktest.Random(rng, networktest.Options{})
	p := program(t, net)
	if _, err := NewTeam(2).Run(context.Background(), p, make([]float32, 3)); err == nil {
		t.Error("three values were taken for an image")
	}
	stopped, stop := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	stop(why)
	if _, err := NewTeam(2).Run(stopped, p, make([]float32, net.Input().Shape.Len())); !errors.Is(err, why) {
		t.Errorf("a run that was stopped ended with %v", err)
	}
}

// What is given back is taken again, by its length.
func TestTeamMemory(t *testing.T) {
	team := NewTeam(1)
	a, b := team.Take(5), team.Take(7)
	team.Give(a)
	team.Give(b)
	if got := team.Take(5); &got[0] != &a[0] {
		t.Error("what was given back was not taken")
	}
	if got := team.Take(5); len(got) != 5 || &got[0] == &a[0] {
		t.Error("the same memory was taken twice")
	}
}
