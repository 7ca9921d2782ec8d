package gpu

import (
	"slices"

	"occlude/internal/network"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// inside is where a layer's updates lie in those of a concat that it is a piece of: its
// channels from at on. Owner is the concat's Index, 0 for none.
type inside struct{ owner, at int }

// concat puts the channels of its inputs one behind the other. Pieces that were computed
// where they belong are there already; what is missing around their rectangles comes from
// views.
type concat struct{ pieces []piece }

// piece is what a concat takes together: an input, or an earlier concat of its first inputs.
type piece struct {
	layer         *network.Layer
	first, inputs int  // of the concat's
	home          bool // is where the layer's updates lie, where they lie in another's
}

// join decides which layers are computed where a concat wants them. A chain of
// concats, of which each has the inputs of the one before and more, lies in the last one.
func (p *Shape) join() {
	p.inside = make([]inside, len(p.net.Layers))
	for i, l := range p.net.Layers {
		k, ok := p.kernels[i].(*concat)
		if !ok {
			continue
		}
		k.pieces = p.piecesOf(l)
		at := 0
		for n, piece := range k.pieces {
			j := piece.layer.Index
			if p.movable(j) && l.Shape.C%vector == 0 && at%vector == 0 {
				p.inside[j], k.pieces[n].home = inside{i, at}, true
			}
			at += piece.layer.Shape.C
		}
	}
}

// movable tells whether a layer's updates may lie in those of a concat.
func (p *Shape) movable(layer int) bool {
	return p.kernels[layer] != nil && layer != p.net.Output.Index && p.inside[layer].owner == 0
}

// piecesOf takes the inputs of a concat together that an earlier one has as its own.
func (p *Shape) piecesOf(l *network.Layer) []piece {
	var pieces []piece
	next := 0
	for _, before := range slices.Backward(p.net.Layers[:l.Index]) {
		_, ok := p.kernels[before.Index].(*concat)
		n := len(before.In)
		if ok && n < len(l.In) && p.movable(before.Index) && slices.Equal(before.In, l.In[:n]) && l.Shape.C%vector == 0 {
			pieces = append(pieces, piece{layer: before, inputs: n})
			next = n
			break
		}
	}
	for ; next < len(l.In); next++ {
		pieces = append(pieces, piece{layer: l.In[next], first: next, inputs: 1})
	}
	return pieces
}

func (k *concat) run(s *step) error {
	out := s.out
	for _, piece := range k.pieces {
		j := piece.layer.Index
		var err error
		switch {
		case !piece.home || !s.size.inside[j]:
			err = k.copy(s, piece, out)
		case s.size.ring[j]:
			err = k.surround(s, piece, out)
		}
		if err != nil {
			return err
		}
		out.Data += driver.Pointer(4 * piece.layer.Shape.C)
	}
	return nil
}

// copy copies the inputs of a piece.
func (k *concat) copy(s *step, p piece, out kernels.Out) error {
	for j, in := range s.in[p.first : p.first+p.inputs] {
		c := s.layer.In[p.first+j].Shape.C
		if err := s.launch(&kernels.Place{Out: out, In: in, N: in.C, Ending: open}, s.each(c)); err != nil {
			return err
		}
		out.Data += driver.Pointer(4 * c)
	}
	return nil
}

// surround brings what a piece that is in place has not changed, from its view or from those
// of its inputs.
func (k *concat) surround(s *step, p piece, out kernels.Out) error {
	whole := s.source(p.layer)
	sources := []kernels.Source{whole}
	if whole.View == 0 {
		sources = s.in[p.first : p.first+p.inputs]
	}
	for _, in := range sources {
		in.Table = whole.Table
		if err := s.launch(&kernels.Place{Out: out, In: in, N: in.C, Missing: 1, Ending: open}, s.each(int(in.C))); err != nil {
			return err
		}
		out.Data += driver.Pointer(4 * in.C)
	}
	return nil
}
