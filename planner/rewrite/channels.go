package rewrite

import "occlude/internal/network"

// mergeChannels picks channels once and from as far ahead as it can:
//
//   - a pick of a pick is one pick;
//   - a pick from a concat that stays within one input is a pick from that
//     input, and one that takes whole inputs is a concat of those;
//   - a concat of picks from one layer is one pick.
//
// It does not when a pick takes parts of several inputs of a concat, or when a
// concat joins picks from different layers. Others may go on reading what is
// passed over.
func mergeChannels(g *graph, l *network.Layer) bool {
	switch op := l.Op.(type) {
	case network.Channels:
		switch before := l.In[0].Op.(type) {
		case network.Channels:
			index := make([]int, len(op.Index))
			for i, c := range op.Index {
				index[i] = before.Index[c]
			}
			return g.become(l, network.Channels{Index: index}, l.In[0].In[0])
		case network.Concat:
			return pickFromConcat(g, l, op, l.In[0].In)
		}
	case network.Concat:
		return joinPicks(g, l)
	}
	return false
}

func pickFromConcat(g *graph, l *network.Layer, pick network.Channels, in []*network.Layer) bool {
	if len(pick.Index) == 0 {
		return false
	}
	// Where each of the concat's channels comes from.
	type source struct{ input, channel int }
	var sources []source
	for i, p := range in {
		for c := range p.Shape.C {
			sources = append(sources, source{i, c})
		}
	}
	one, whole := true, true
	var inputs []*network.Layer
	index := make([]int, len(pick.Index))
	for i, c := range pick.Index {
		s := sources[c]
		index[i] = s.channel
		one = one && s.input == sources[pick.Index[0]].input
		// Each run must start with an input's first channel. One that stops
		// short of the last makes fewer channels than its inputs have, and the
		// concat is refused.
		if s.channel == 0 {
			inputs = append(inputs, in[s.input])
		} else {
			whole = whole && i > 0 && pick.Index[i-1] == c-1
		}
	}
	switch {
	case one:
		return g.become(l, network.Channels{Index: index}, in[sources[pick.Index[0]].input])
	case whole:
		return g.become(l, network.Concat{}, inputs...)
	}
	return false
}

func joinPicks(g *graph, l *network.Layer) bool {
	var index []int
	var from *network.Layer
	for _, p := range l.In {
		c, ok := opOf[network.Channels](p)
		if !ok || (from != nil && p.In[0] != from) {
			return false
		}
		from = p.In[0]
		index = append(index, c.Index...)
	}
	return from != nil && g.become(l, network.Channels{Index: index}, from)
}

// mergeConcats lets a Concat join the inputs of the Concats that it reads. It
// does not where someone else reads those too, as in DenseNet: then the joined
// map is needed anyway and copying it at once is cheaper.
func mergeConcats(g *graph, l *network.Layer) bool {
	if _, ok := opOf[network.Concat](l); !ok {
		return false
	}
	var in []*network.Layer
	for _, p := range l.In {
		if _, ok := opOf[network.Concat](p); ok && g.single(p) {
			in = append(in, p.In...)
		} else {
			in = append(in, p)
		}
	}
	return len(in) > len(l.In) && g.become(l, network.Concat{}, in...)
}
