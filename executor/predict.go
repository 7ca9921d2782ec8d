package executor

import (
	"context"

	"occlude/planner"
)

// predict lists the most probable classes of each image. It is the processor's work: an
// image has nothing to offer to a GPU that bringing the weights there would not cost.
func (s *Session) predict(ctx context.Context, p *planner.Predict, emit func(Result) error) error {
	program, err := s.program(ctx, p.Model, p.Net, onProcessor(p.Kernels, p.Algorithms), p.Threads)
	if err != nil {
		return err
	}
	r := &Relation{Columns: []string{"image", "model", "rank", "class_id", "class", "p"}}
	for _, image := range p.Images {
		_, normal, err := input(ctx, p.Model, image)
		if err != nil {
			return err
		}
		views, err := program.Base(ctx, normal, p.Threads)
		if err != nil {
			if ctx.Err() != nil {
				return &Interrupted{Image: image, Cause: err}
			}
			return err
		}
		probabilities, err := scores(p.Model, views, p.Net.Output.Index, image)
		if err != nil {
			return err
		}
		for i, c := range ranked(probabilities)[:p.Top] {
			r.Rows = append(r.Rows, []any{image, p.Model.Name, i + 1, c, p.Model.Label(c), probabilities[c]})
		}
	}
	return emit(r)
}
