package executor

import (
	"math/rand/v2"
	"testing"

	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
)

// TestProgramsKept checks that the last programs of a model stay ready, the one
// that was used last among them, and that the others are let go.
func TestProgramsKept(t *testing.T) {
	s := NewSession()
	m := &model.Model{Name: "m"}
	nets := make([]*network.Network, 4)
	for i := range nets {
		nets[i] = networktest.Random(rand.New(rand.NewPCG(uint64(i), 1)), networktest.Options{})
	}
	ready := func(i int) operators.Program {
		p, err := s.program(t.Context(), m, nets[i], onProcessor("generic", nil), 1)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.programs[m]); n > keptPrograms {
			t.Fatalf("%d programs are kept", n)
		}
		return p
	}
	first, second := ready(0), ready(1)
	if ready(0) != first || ready(1) != second || ready(0) != first {
		t.Error("programs in use are made again")
	}
	ready(2) // in place of the second, which was used least
	if ready(0) != first {
		t.Error("the program that was used last was let go")
	}
	if ready(1) == second {
		t.Error("a program that was let go is still there")
	}
}
