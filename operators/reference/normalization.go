package reference

import (
	"fmt"
	"math"
	"slices"

	"occlude/internal/onnx"
)

// floatParams reads inputs as float64 lists of the given length each; nil for
// an absent one.
func (c *call) floatParams(n int, inputs ...int) ([][]float64, error) {
	out := make([][]float64, len(inputs))
	for k, i := range inputs {
		t := c.input(i)
		if t == nil {
			continue
		}
		if t.Len() != n {
			return nil, fmt.Errorf("input %d has shape %s where %d values are needed", i, onnx.FormatDims(t.Dims), n)
		}
		var err error
		if out[k], err = t.Float64s(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// moments are the mean and the (biased) variance of a list.
func moments(v []float64) (mean, variance float64) {
	mean = total(v) / float64(len(v))
	for _, x := range v {
		variance += (x - mean) * (x - mean)
	}
	return mean, variance / float64(len(v))
}

// batchNormalization shifts and scales each channel by stored statistics:
// (x - mean) / sqrt(var + epsilon) * scale + bias. In training mode (from
// version 14 on) the batch's own statistics are used, and the stored ones,
// moved toward them, are further outputs. Before version 9, spatial = 0 asks
// for statistics of every place instead of every channel.
func batchNormalization(c *call) ([]*onnx.Tensor, error) {
	x := c.in[0]
	if x.Rank() < 2 {
		return nil, fmt.Errorf("shape %s has no channels", onnx.FormatDims(x.Dims))
	}
	training := c.opset >= 14 && c.Int("training_mode", 0) != 0
	switch {
	case c.opset < 7 && c.Int("is_test", 0) == 0 && c.wants(1), c.opset >= 7 && c.opset < 14 && c.wants(1):
		return nil, c.unsupported(onnx.Undefined, "training mode before version 14")
	case !training && c.wants(1):
		return nil, fmt.Errorf("statistics are outputs only in training mode")
	}
	channels, plane := x.Dims[1], product(x.Dims[2:])
	if c.opset < 9 && c.Int("spatial", 1) == 0 {
		channels, plane = channels*plane, 1
	}
	params, err := c.floatParams(channels, 1, 2, 3, 4)
	if err != nil {
		return nil, err
	}
	scale, bias, mean, variance := params[0], params[1], params[2], params[3]
	v, err := x.Float64s()
	if err != nil {
		return nil, err
	}
	var statistics []*onnx.Tensor
	if training {
		keep := c.param("momentum", 0.9)
		batchMean, batchVariance := channelMoments(v, channels, plane)
		for i, running := range [][]float64{mean, variance} {
			now := [][]float64{batchMean, batchVariance}[i]
			moved := make([]float64, channels)
			for ch := range moved {
				moved[ch] = running[ch]*keep + now[ch]*(1-keep)
			}
			t, err := convert(onnx.New([]int{channels}, moved), c.in[3+i].DType)
			if err != nil {
				return nil, err
			}
			statistics = append(statistics, t)
		}
		mean, variance = batchMean, batchVariance
	}
	epsilon := c.param("epsilon", 1e-5)
	planes := 0
	if plane > 0 {
		planes = len(v) / plane
	}
	err = parallel(c.ctx, planes, func(p int) {
		ch := p % channels
		factor := scale[ch] / math.Sqrt(variance[ch]+epsilon)
		for i := p * plane; i < (p+1)*plane; i++ {
			v[i] = (v[i]-mean[ch])*factor + bias[ch]
		}
	})
	if err != nil {
		return nil, err
	}
	y, err := convert(onnx.New(x.Dims, v), x.DType)
	return append([]*onnx.Tensor{y}, statistics...), err
}

// channelMoments are the moments of each channel over images and places.
func channelMoments(v []float64, channels, plane int) (mean, variance []float64) {
	mean, variance = make([]float64, channels), make([]float64, channels)
	var list []float64
	for ch := range channels {
		list = list[:0]
		for start := ch * plane; start+plane <= len(v) && plane > 0; start += channels * plane {
			list = append(list, v[start:start+plane]...)
		}
		mean[ch], variance[ch] = moments(list)
	}
	return mean, variance
}

// standardized brings each run of n neighbours to mean 0 and variance 1, then
// hands it to finish with its number; it also gives the runs' means and inverse
// deviations.
func (c *call) standardized(x *onnx.Tensor, n int, epsilon float64, finish func(run int, v []float64)) (y *onnx.Tensor, means, inverses []float64, err error) {
	v, err := x.Float64s()
	if err != nil {
		return nil, nil, nil, err
	}
	runs := 0
	if n > 0 {
		runs = len(v) / n
	}
	means, inverses = make([]float64, runs), make([]float64, runs)
	err = parallel(c.ctx, runs, func(r int) {
		list := v[r*n : (r+1)*n]
		mean, variance := moments(list)
		inverse := 1 / math.Sqrt(variance+epsilon)
		for i, a := range list {
			list[i] = (a - mean) * inverse
		}
		means[r], inverses[r] = mean, inverse
		finish(r, list)
	})
	if err != nil {
		return nil, nil, nil, err
	}
	y, err = convert(onnx.New(x.Dims, v), x.DType)
	return y, means, inverses, err
}

// instanceNormalization standardizes every channel of every image.
func instanceNormalization(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	if x.Rank() < 3 {
		return nil, fmt.Errorf("shape %s has no spatial axes", onnx.FormatDims(x.Dims))
	}
	channels := x.Dims[1]
	params, err := c.floatParams(channels, 1, 2)
	if err != nil {
		return nil, err
	}
	y, _, _, err := c.standardized(x, product(x.Dims[2:]), c.param("epsilon", 1e-5), func(run int, v []float64) {
		scaleBy(v, params[0][run%channels], params[1][run%channels])
	})
	return y, err
}

// groupNormalization standardizes groups of channels of every image. Scale and
// bias are per group in version 18 and per channel since 21.
func groupNormalization(c *call) (*onnx.Tensor, error) {
	x, groups := c.in[0], c.Int("num_groups", 0)
	if x.Rank() < 3 || groups < 1 || x.Dims[1]%groups != 0 {
		return nil, fmt.Errorf("%d groups in shape %s", groups, onnx.FormatDims(x.Dims))
	}
	channels, plane := x.Dims[1], product(x.Dims[2:])
	perGroup, shared := channels/groups, 1
	if c.opset < 21 {
		shared = perGroup // channels that share a scale
	}
	params, err := c.floatParams(channels/max(shared, 1), 1, 2)
	if err != nil {
		return nil, err
	}
	y, _, _, err := c.standardized(x, perGroup*plane, c.param("epsilon", 1e-5), func(run int, v []float64) {
		for i := range perGroup {
			at := (run%groups*perGroup + i) / shared
			scaleBy(v[i*plane:(i+1)*plane], params[0][at], params[1][at])
		}
	})
	return y, err
}

func scaleBy(v []float64, scale, bias float64) {
	for i, x := range v {
		v[i] = x*scale + bias
	}
}

// layerNormalization standardizes over the axes from axis to the last; scale
// and bias broadcast to the input. Mean and inverse deviation are further
// outputs.
func layerNormalization(c *call) ([]*onnx.Tensor, error) {
	x := c.in[0]
	axis, err := axisOf(c.Int("axis", -1), x.Rank())
	if err != nil {
		return nil, err
	}
	y, means, inverses, err := c.standardized(x, product(x.Dims[axis:]), c.param("epsilon", 1e-5), func(int, []float64) {})
	if err != nil {
		return nil, err
	}
	for i, f := range []binary{mul, add} {
		t := c.input(1 + i)
		if t == nil {
			continue
		}
		if y, err = c.combine(y, t, f); err != nil {
			return nil, err
		}
		if err := sameShape(y, x); err != nil {
			return nil, err
		}
	}
	dims := slices.Clone(x.Dims)
	for a := axis; a < len(dims); a++ {
		dims[a] = 1
	}
	out := []*onnx.Tensor{y}
	for i, v := range [][]float64{means, inverses} {
		if !c.wants(1 + i) {
			out = append(out, nil)
			continue
		}
		if n, err := sized(dims); err != nil || n != len(v) {
			return nil, fmt.Errorf("no statistics of an empty tensor")
		}
		t, err := convert(onnx.New(dims, v), onnx.Float32) // as stash_type 1 says
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// meanVarianceNormalization standardizes over the named axes.
func meanVarianceNormalization(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	axes := c.Ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	marked, err := axisSet(axes, x.Rank())
	if err != nil {
		return nil, err
	}
	wide, err := convert(x, onnx.Float64)
	if err != nil {
		return nil, err
	}
	mean, err := c.reduce(wide, marked, true, meanOf)
	if err != nil {
		return nil, err
	}
	centered, err := c.combine(wide, mean, sub)
	if err != nil {
		return nil, err
	}
	variance, err := c.reduce(centered, marked, true, reducer{
		float: func(v []float64) float64 { return squares(v) / float64(len(v)) },
	})
	if err != nil {
		return nil, err
	}
	y, err := c.combine(centered, variance, binary{
		float: func(x, variance float64) float64 { return x / (math.Sqrt(variance) + 1e-9) },
	})
	if err != nil {
		return nil, err
	}
	return convert(y, x.DType)
}

// lrn divides by a power of the sum of squares over neighbouring channels.
func lrn(c *call) (*onnx.Tensor, error) {
	x, size := c.in[0], c.Int("size", 0)
	if x.Rank() < 2 || size < 1 || size > MaxOutput {
		return nil, fmt.Errorf("size %d for shape %s", size, onnx.FormatDims(x.Dims))
	}
	alpha, beta, bias := c.param("alpha", 1e-4), c.param("beta", 0.75), c.param("bias", 1)
	in, err := x.Float64s()
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(in))
	channels, plane := x.Dims[1], product(x.Dims[2:])
	if err := spend(c.ctx, len(in), min(size, channels)); err != nil {
		return nil, err
	}
	err = parallel(c.ctx, x.Dims[0]*channels, func(p int) {
		image, ch := p/channels*channels, p%channels
		lo, hi := max(0, ch-(size-1)/2), min(channels-1, ch+size/2)
		for i := range plane {
			sum := 0.0
			for k := image + lo; k <= image+hi; k++ {
				v := in[k*plane+i]
				sum += v * v
			}
			out[p*plane+i] = in[p*plane+i] / math.Pow(bias+alpha/float64(size)*sum, beta)
		}
	})
	if err != nil {
		return nil, err
	}
	return convert(onnx.New(x.Dims, out), x.DType)
}
