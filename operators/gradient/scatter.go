package gradient

import (
	"context"
	"sync"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// scatter pulls gradients back through a convolution of few input channels, such
// as the one that reads the image, whose gradient would leave most of a panel
// of filters empty. It computes what each output cell gives to all taps of its
// window, a 1x1 convolution with a filter for each tap and channel, and adds that
// to the cells under the window.
type scatter struct {
	op      network.Conv
	in, out network.Shape
	program func() (*cpu.Program, error)
}

// addition is about how many multiply-adds of a product take as long as adding
// one value.
const addition = 64

// scatterCost is about how many multiply-adds scattering takes.
func scatterCost(op network.Conv, in, out network.Shape) int {
	n := op.Taps() * in.C
	return out.Cells() * (out.C*wholePanels(n) + n*addition)
}

func newScatter(op network.Conv, in, out network.Shape, set *simd.Set) *scatter {
	s := &scatter{op: op, in: in, out: out}
	s.program = sync.OnceValues(func() (*cpu.Program, error) {
		n, filters := op.Taps()*in.C, op.Filters()
		from, to := op.Weights.Data().([]float32), make([]float32, n*filters)
		for f := range filters {
			for i, w := range from[f*n : (f+1)*n] {
				to[i*filters+f] = w
			}
		}
		one := region.Window{Kernel: 1, Stride: 1, Dilation: 1}
		net := network.New("gradient", out)
		_, err := net.Add("taps", network.Conv{
			Window: network.Window{Y: one, X: one}, Groups: 1,
			Weights: tensor.New(tensor.WithShape(n, 1, 1, filters), tensor.WithBacking(to)),
		}, net.Input())
		if err != nil {
			return nil, err
		}
		return cpu.New(context.Background(), net, cpu.Options{Kernels: set.Name, Algorithms: []operators.Algorithm{"", operators.Direct}})
	})
	return s
}

func (s *scatter) pull(p *pass, g []float32) ([]float32, error) {
	c, err := s.program()
	if err != nil {
		return nil, err
	}
	v, err := p.team.Run(p.ctx, c, g)
	if err != nil {
		return nil, err
	}
	dx := p.zeros(s.in.Len())
	row := s.in.W * s.in.C
	err = p.split(s.in.H, row*s.op.Taps(), func(lo, hi int) {
		for y := lo; y < hi; y++ {
			s.row(dx[y*row:(y+1)*row], y, v[1])
		}
	})
	p.team.Give(v[1])
	return dx, err
}

// row adds up what a row of the input gets from the rows of the output that read
// it.
func (s *scatter) row(dx []float32, y int, taps []float32) {
	w, c := s.op.Window, s.in.C
	for k := range w.Y.Kernel {
		o := y + w.Y.Pad - k*w.Y.Dilation
		if o < 0 || o%w.Y.Stride != 0 || o/w.Y.Stride >= s.out.H {
			continue
		}
		cell := o / w.Y.Stride * s.out.W * s.op.Taps() * c
		for x := range s.out.W {
			from := taps[cell+(x*s.op.Taps()+k*w.X.Kernel)*c:][:w.X.Kernel*c]
			at := x*w.X.Stride - w.X.Pad
			if w.X.Dilation == 1 { // the taps lie as the cells do
				lo, hi := max(0, -at), min(w.X.Kernel, s.in.W-at)
				if lo < hi {
					plus(dx[(at+lo)*c:(at+hi)*c], from[lo*c:])
				}
				continue
			}
			for i := range w.X.Kernel {
				if to := at + i*w.X.Dilation; to >= 0 && to < s.in.W {
					plus(dx[to*c:(to+1)*c], from[i*c:])
				}
			}
		}
	}
}

// plus adds values to others.
func plus(to, from []float32) {
	from = from[:len(to)]
	for i := range to {
		to[i] += from[i]
	}
}
