package planner

import (
	"context"
	"slices"
	"strings"

	"occlude/lang"
)

// Tables is what the planner asks about the tables that heat maps go into.
type Tables interface {
	// Takes tells why a table cannot take heat maps.
	Takes(ctx context.Context, table string) error
	// Begun is how the heat maps of a query in its table are computed; nil where
	// nobody has begun to put any into it.
	Begun(ctx context.Context, p *Occlude) (*Choice, error)
}

// table binds INTO TABLE and ON ERROR.
func (b *binder) table(ctx context.Context, s *lang.Occlude, p *Occlude) error {
	p.Continue = len(p.Images) > 1 || p.Images[0] != s.Image.Value // a pattern
	if s.OnError != nil {
		p.Continue = !s.OnError.Stop
	}
	asked := *s
	asked.Image, asked.Into, asked.Table, asked.OnError, asked.Colormap, asked.Progressive = lang.String{}, nil, nil, nil, nil, false
	p.clauses = strings.TrimPrefix(asked.String(), "OCCLUDE "+asked.Image.String())
	p.Hints = decisive(s.Options)
	if s.Table == nil {
		return nil
	}
	p.Table = s.Table.Text // as SELECT will have it: SQLite folds the letters A to Z alone
	if b.env.Tables == nil {
		return lang.Errorf(s.Table.Span(), "there is no database to keep tables in")
	}
	if err := b.env.Tables.Takes(ctx, p.Table); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return lang.Errorf(s.Table.Span(), "%w", err)
	}
	for i, at := range s.At {
		same := func(other lang.Point) bool { return other.X == at.X && other.Y == at.Y }
		if slices.ContainsFunc(s.At[:i], same) {
			return lang.Errorf(at.Span(), "%s is there twice, and a table has a position once", at)
		}
	}
	return nil
}

// rowSeconds is what keeping a row takes: 208 000 rows a second on a core of an AMD EPYC,
// by BenchmarkPut of package tables.
const rowSeconds = 1 / 208e3

// keeping is the seconds that the rows of a heat map take on their way into the table.
func (p *Occlude) keeping() float64 {
	if p.Table == "" {
		return 0
	}
	return rowSeconds * float64(p.Target.Count()*len(p.Grid.Positions))
}

// decisive are the options that may change the answer, however little, in a form
// that does not depend on how they were written.
func decisive(options []lang.Option) string {
	var list []string
	for _, o := range options {
		switch o.Name.Key() {
		case "batch", "threads", "device", "edge": // no bit, no bit, what Choice says, what the grid does
		default:
			list = append(list, o.Name.Key()+" = "+strings.ToLower(plainText(o.Value)))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// Query is the canonical text of the query for one of its images, without what is
// written where.
func (p *Occlude) Query(image string) string {
	return "OCCLUDE " + lang.String{Value: image}.String() + p.clauses
}

// notTable refuses INTO TABLE inside a statement that has a use of its own for the
// heat maps.
func notTable(q *lang.Occlude, statement string) error {
	if q.Table == nil {
		return nil
	}
	return lang.Errorf(q.Table.Span(), "%s keeps nothing in tables", statement).
		WithHint("OCCLUDE ... INTO TABLE is a statement of its own")
}
