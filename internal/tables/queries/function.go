package queries

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"

	"modernc.org/sqlite"
)

// functionNames are the functions of this package.
var functionNames = []string{"inside", "heatmap", "peak", "mass_in"}

// register makes the functions known to a driver, which is the session's own.
func (s *Session) register(d *sqlite.Driver) error {
	for _, f := range []struct {
		name      string
		scalar    func(arguments []driver.Value) (driver.Value, error)
		aggregate func() aggregate
	}{
		{name: "inside", scalar: s.inside},
		{name: "heatmap", aggregate: func() aggregate { return newHeatMap() }},
		{name: "peak", aggregate: func() aggregate { return &peak{} }},
		{name: "mass_in", aggregate: func() aggregate { return &massIn{} }},
	} {
		impl := &sqlite.FunctionImpl{NArgs: -1, Deterministic: true}
		if f.scalar != nil {
			impl.Scalar = func(_ *sqlite.FunctionContext, a []driver.Value) (driver.Value, error) {
				v, err := f.scalar(a)
				return v, s.failed(f.name, err)
			}
		} else {
			impl.MakeAggregate = func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) {
				return &adapter{f.aggregate(), func(err error) error { return s.failed(f.name, err) }, s.running}, nil
			}
		}
		if err := d.RegisterFunction(f.name, impl); err != nil {
			return err
		}
	}
	return nil
}

// failure is an error of a function.
type failure struct {
	function string
	err      error
}

func (f *failure) Error() string { return f.function + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failed keeps a function's error, of which SQLite hands on the text alone.
func (s *Session) failed(function string, err error) error {
	if err == nil {
		return nil
	}
	s.failure = &failure{function, err}
	return s.failure
}

// aggregate takes the rows of a group or of a window.
type aggregate interface {
	// step adds a row, inverse takes away the oldest one that is there.
	step(arguments []driver.Value) error
	inverse(arguments []driver.Value) error
	// value is that of the rows which are there. It is asked for again as the
	// window moves.
	value() (driver.Value, error)
}

// adapter is an aggregate as the driver wants it.
type adapter struct {
	aggregate
	failed  func(error) error
	running context.Context // of the statement
}

func (a *adapter) Step(_ *sqlite.FunctionContext, v []driver.Value) error {
	return a.failed(a.step(v))
}

func (a *adapter) WindowInverse(_ *sqlite.FunctionContext, v []driver.Value) error {
	return a.failed(a.inverse(v))
}

// WindowValue is asked for also when a statement was interrupted, and must not take long then.
func (a *adapter) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if a.running.Err() != nil {
		return nil, nil
	}
	v, err := a.value()
	return v, a.failed(err)
}

func (a *adapter) Final(*sqlite.FunctionContext) {}

// numbers reads arguments. null reports that one of them is NULL; names are what
// errors call them.
func numbers(arguments []driver.Value, names ...string) (values []float64, null bool, err error) {
	values = make([]float64, len(names))
	for i, n := range names {
		switch v := arguments[i].(type) {
		case int64:
			values[i] = float64(v)
		case float64:
			values[i] = v
		case nil:
			null = true
		default:
			return nil, false, fmt.Errorf("%s is %s, not a number", n, shown(v))
		}
	}
	return values, null, nil
}

// shown is a value in an error's text.
func shown(v driver.Value) string {
	switch v := v.(type) {
	case string:
		const most = 40
		if len(v) > most {
			return strconv.Quote(v[:most]) + "..."
		}
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("a blob of %d bytes", len(v))
	case nil:
		return "NULL"
	}
	return fmt.Sprint(v)
}

// pixel is the whole number below a coordinate.
func pixel(v float64) int { return int(math.Floor(min(max(v, -1<<40), 1<<40))) }

// sum adds numbers up so that what was added and taken away again leaves nothing
// behind (Neumaier, Zeitschrift für Angewandte Mathematik und Mechanik 54, 1974).
type sum struct{ high, low float64 }

func (s *sum) add(v float64) {
	t := s.high + v
	if math.Abs(s.high) >= math.Abs(v) {
		s.low += (s.high - t) + v
	} else {
		s.low += (v - t) + s.high
	}
	s.high = t
}

func (s *sum) total() float64 { return s.high + s.low }
