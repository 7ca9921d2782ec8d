package executor_test

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
	"occlude/planner/cost"
)

// single is a catalog of one model.
type single struct{ *model.Model }

func (c single) Lookup(string) (*model.Model, bool) { return c.Model, true }
func (c single) Models() []*model.Model             { return []*model.Model{c.Model} }

// answer runs a query over the model and gives the first class' values.
func (c single) answer(t *testing.T, text string) []float32 {
	t.Helper()
	return c.result(t, text).(*executor.HeatMap).Classes[0].P
}

// result runs a query over the model that has one result.
func (c single) result(t *testing.T, text string) (result executor.Result) {
	t.Helper()
	script, diagnostics := lang.Parse("test", text)
	if err := diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	p := planner.New(planner.Env{Catalog: c, Settings: &settings.Settings{}, Profile: cost.Default()})
	plan, err := p.Plan(context.Background(), script.Statements[0])
	if err != nil {
		t.Fatal(err)
	}
	err = executor.NewSession().Run(context.Background(), plan, func(r executor.Result) error {
		result = r
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return result
}

// Both exact plans give the same map of any network, from the query on: the
// planner's rectangles must fit what the executor keeps and the kernels read.
func TestPlansAgreeOnRandomNetworks(t *testing.T) {
	dir := t.TempDir()
	picture := filepath.Join(dir, "picture.png")
	colourful(t, picture, 24, 7)
	tried := 0
	for seed := range uint64(150) {
		net := networktest.Random(rand.New(rand.NewPCG(seed, 3)), networktest.Options{})
		in := net.Input().Shape
		if in.C == 4 { // no image has four channels
			continue
		}
		tried++
		m := single{&model.Model{Name: "m", Net: net, Classes: net.Output.Shape.Len(), Output: model.OutputProbabilities, Spec: specFor(in)}}
		query := "OCCLUDE '" + picture + "' USING m PATCH 4 STRIDE 3 WITH (plan = '?');"
		full := m.answer(t, strings.Replace(query, "?", planner.PlanFull, 1))
		incremental := m.answer(t, strings.Replace(query, "?", planner.PlanIncremental, 1))
		for i := range full {
			if d := math.Abs(float64(full[i] - incremental[i])); !(d <= 1e-5) {
				t.Fatalf("seed %d: position %d is %v in full and %v incrementally", seed, i, full[i], incremental[i])
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d networks take images", tried)
	}
}

func specFor(in network.Shape) imageio.Spec {
	s := imageio.DefaultSpec(in.W, in.H)
	if in.C == 1 {
		s.Channels = imageio.Gray
	}
	return s
}
