package planner

import (
	"context"
	"fmt"
	"time"

	"occlude/internal/curve"
	"occlude/internal/model"
	"occlude/lang"
	"occlude/planner/cost"
)

// Statistics are what ANALYZE MODEL has found out, in this session or before. They
// only make plans better: who cannot tell says that there is nothing, and
// warns its user.
type Statistics interface {
	// Profile is how fast a set of kernels was found to be on this machine, at
	// best by the model with this content hash; nil if nothing was measured.
	Profile(ctx context.Context, model, kernels string) *cost.Profile
	// DeviceProfile is how fast a GPU with the name that its maker gives it, and so many
	// multiprocessors, was found to be; nil if nothing was measured.
	DeviceProfile(ctx context.Context, name string, processors int) *cost.Device
	// Curve is how the quality of heat maps falls with tau, and whether that was
	// measured.
	Curve(ctx context.Context, k curve.Key) (curve.Curve, bool)
	// Curves are all curves of the model with a content hash.
	Curves(ctx context.Context, model string) []curve.Curve
}

// nothing is known without statistics.
type nothing struct{}

func (nothing) Profile(context.Context, string, string) *cost.Profile   { return nil }
func (nothing) DeviceProfile(context.Context, string, int) *cost.Device { return nil }
func (nothing) Curve(context.Context, curve.Key) (curve.Curve, bool)    { return curve.Curve{}, false }
func (nothing) Curves(context.Context, string) []curve.Curve            { return nil }

// CurveKey is what a curve of a query's maps is found by. Which kernels and threads
// compute them does not matter, nor which positions and classes are asked for.
func (p *Occlude) CurveKey(metric string) curve.Key {
	return curveKey(p.Model, p.Grid, p.Fill, metric)
}

func curveKey(m *model.Model, g Grid, f Fill, metric string) curve.Key {
	return curve.Key{
		Model: m.Hash, Input: inputText(m), PatchW: g.PatchW, PatchH: g.PatchH, StrideW: g.StrideW, StrideH: g.StrideH,
		Fill: f.Text, Metric: metric,
	}
}

// curves are those of a model as it was created.
func (b *binder) curves(ctx context.Context, m *model.Model) (own []curve.Curve) {
	for _, c := range b.env.Statistics.Curves(ctx, m.Hash) {
		if c.Input == inputText(m) {
			own = append(own, c)
		}
	}
	return own
}

// inputText is what the options of CREATE MODEL make of a model's file: how a picture
// becomes its input, and which of its outputs becomes what.
func inputText(m *model.Model) string {
	s, out := m.Spec, m.Net.Output
	if m.Added != "" {
		out = out.In[0]
	}
	return fmt.Sprintf("%dx%d %s %s window %s scale %g mean %v std %v, %s of %s",
		s.Width, s.Height, s.Channels, s.Resize, s.Window, s.Scale, s.Mean, s.Std, m.Output, out.Name)
}

// calibrate makes a statement's costs those that were measured on this machine, if
// any were, and tells whether nobody needs to measure them now.
func (b *binder) calibrate(ctx context.Context, name lang.Name) bool {
	m, ok := b.env.Catalog.Lookup(name.Key())
	if !ok {
		return true // which is said later
	}
	return b.costsBy(b.env.Statistics.Profile(ctx, m.Hash, b.env.Settings.Kernels()))
}

// measure has this machine measured, if that is wanted and can be kept.
func (b *binder) measure(ctx context.Context) {
	if b.env.Measure != nil {
		b.costsBy(b.env.Measure(ctx, b.env.Settings.Kernels()))
	}
}

// profileAge is how long ago the profile was measured.
func (b *binder) profileAge() time.Duration {
	at, err := time.Parse(time.RFC3339, b.env.Profile.Measured)
	if err != nil || b.env.Now == nil {
		return 0
	}
	return max(time.Second, b.env.Now().Sub(at))
}

// costsBy predicts the statement's costs by a profile, if there is one.
func (b *binder) costsBy(p *cost.Profile) bool {
	if p == nil {
		return false
	}
	env := *b.env
	env.Profile, b.env = p, &env
	return true
}
