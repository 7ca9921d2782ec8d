package lang

import "strings"

func (s *SQL) String() string { return s.Text }

func (s *Benchmark) String() string {
	var options []string
	if s.Runs != nil {
		options = append(options, "RUNS "+s.Runs.String())
	}
	if s.Warmup != nil {
		options = append(options, "WARMUP "+s.Warmup.String())
	}
	if len(s.Plans) > 0 {
		options = append(options, "PLANS ("+list(s.Plans)+")")
	}
	if len(options) == 0 {
		return "BENCHMARK " + s.Query.String()
	}
	return "BENCHMARK (" + strings.Join(options, ", ") + ") " + s.Query.String()
}

func (a Alternative) String() string { return a.Plan.String() + with(a.Options) }

func (s *Compare) String() string {
	return "COMPARE (" + s.First.String() + ") WITH (" + s.Second.String() + ")"
}

func (s *Evaluate) String() string {
	return "EVALUATE (" + s.Query.String() + ") USING " + list(s.Metrics) + with(s.Options)
}

func (m Metric) String() string {
	if len(m.Arguments) == 0 {
		return m.Name.String()
	}
	return m.Name.String() + "(" + list(m.Arguments) + ")"
}
