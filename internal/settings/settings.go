package settings

import (
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"strings"

	"occlude/operators/cpu/simd"
	"occlude/operators/gpu/devices"
)

// Setting describes one setting for people and for completion.
type Setting struct {
	Name    string
	Kind    string // KindSetting or KindSwitch
	Meaning string
	Default string // as printed by SHOW ALL
	Values  []string
	check   func(string) (string, error)
}

// Kinds of settings: switches rule choices of the planner out.
const (
	KindSetting = "setting"
	KindSwitch  = "switch"
)

// Settings are one session's values. The zero value holds the defaults.
type Settings struct {
	values map[string]string // what SET changed
	starts map[string]string // what the session started with instead of defaults
}

// Values of the setting format.
const (
	FormatTable    = "table"
	FormatCSV      = "csv"
	FormatTSV      = "tsv"
	FormatJSON     = "json"
	FormatVertical = "vertical"
)

var formats = []string{FormatTable, FormatCSV, FormatTSV, FormatJSON, FormatVertical}

// Formats lists the values of the setting format.
func Formats() []string { return append([]string(nil), formats...) }

// KernelsAuto lets the processor decide.
const KernelsAuto = "auto"

// DeviceAuto lets cost decide where heat maps are computed; DeviceCPU is the processor.
// Everything else is the name of a GPU.
const (
	DeviceAuto = "auto"
	DeviceCPU  = "cpu"
)

// kernelSets are the words that the setting kernels takes. A processor may lack
// some of the sets.
var kernelSets = []string{KernelsAuto, "avx512", "avx2", "generic"}

// table is the one place where settings are made, switches last.
var table = append([]Setting{
	{Name: "device", Kind: KindSetting, Default: DeviceAuto, Values: []string{DeviceAuto, DeviceCPU, devices.First},
		Meaning: "where heat maps are computed: auto chooses, cpu is the processor, cuda:0 the first GPU", check: checkDevice},
	{Name: "format", Kind: KindSetting, Default: FormatTable, Values: formats,
		Meaning: "how results are printed: table, csv, tsv, json or vertical", check: oneOf(formats...)},
	{Name: "kernels", Kind: KindSetting, Default: KernelsAuto, Values: kernelSets,
		Meaning: "the processor's instructions that kernels are made of; auto is the best that it has, " + simd.Best().Name, check: checkKernels},
	{Name: "memory_limit", Kind: KindSetting, Default: "auto",
		Meaning: "most memory of the process, as '4GB'; auto is 80% of what is free", check: checkBytes},
	{Name: "progressive", Kind: KindSetting, Default: off, Values: []string{on, off},
		Meaning: "compute positions coarse to fine, as PROGRESSIVE does, in every query", check: checkSwitch},
	{Name: "threads", Kind: KindSetting, Default: "auto",
		Meaning: "goroutines that compute; auto is one per core", check: checkThreads},
	{Name: "view_cache", Kind: KindSetting, Default: "512MB",
		Meaning: "most memory of the views that queries leave for the next ones on the same image; off keeps none", check: checkCache},
}, switches()...)

// All lists the settings by name.
func All() []Setting { return append([]Setting(nil), table...) }

// Names lists the settings' names.
func Names() []string {
	names := make([]string, len(table))
	for i, s := range table {
		names[i] = s.Name
	}
	return names
}

func find(name string) (*Setting, error) {
	for i := range table {
		if table[i].Name == name {
			return &table[i], nil
		}
	}
	return nil, fmt.Errorf("there is no setting %q", name)
}

// Check brings a value into the form that is kept, or says what is wrong.
func Check(name, value string) (string, error) {
	s, err := find(name)
	if err != nil {
		return "", err
	}
	if strings.EqualFold(value, s.Default) {
		return s.Default, nil
	}
	v, err := s.check(value)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// Get is a setting's value as SHOW prints it.
func (s *Settings) Get(name string) (string, error) {
	t, err := find(name)
	if err != nil {
		return "", err
	}
	if s == nil {
		return t.Default, nil
	}
	if v, ok := s.values[name]; ok {
		return v, nil
	}
	if v, ok := s.starts[name]; ok {
		return v, nil
	}
	return t.Default, nil
}

// value is the text of a setting of the table.
func (s *Settings) value(name string) string {
	v, err := s.Get(name)
	if err != nil {
		panic("settings: " + err.Error()) // an accessor without a row
	}
	return v
}

// Set changes a setting.
func (s *Settings) Set(name, value string) error { return put(&s.values, name, value) }

// With is the settings with one of them changed.
func (s *Settings) With(name, value string) (*Settings, error) {
	c := &Settings{values: maps.Clone(s.values), starts: s.starts}
	return c, c.Set(name, value)
}

// Start gives a setting the value that the session starts with, and to which
// Reset goes back.
func (s *Settings) Start(name, value string) error { return put(&s.starts, name, value) }

func put(to *map[string]string, name, value string) error {
	v, err := Check(name, value)
	if err != nil {
		return err
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[name] = v
	return nil
}

// Reset brings a setting back to what it was at the start, all of them for "".
func (s *Settings) Reset(name string) error {
	if name == "" {
		s.values = nil
		return nil
	}
	if _, err := find(name); err != nil {
		return err
	}
	delete(s.values, name)
	return nil
}

// Format is how results are printed.
func (s *Settings) Format() string { return s.value("format") }

// Threads is the number of goroutines that compute.
func (s *Settings) Threads() int {
	if n, err := strconv.Atoi(s.value("threads")); err == nil {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// Kernels is the name of the set of kernels that computes.
func (s *Settings) Kernels() string {
	if v := s.value("kernels"); v != KernelsAuto {
		return v
	}
	return simd.Best().Name
}

// Device is where heat maps are computed: DeviceAuto, DeviceCPU or the name of a GPU,
// which need not be there.
func (s *Settings) Device() string { return s.value("device") }

// Progressive tells whether every query computes its positions coarse to fine.
func (s *Settings) Progressive() bool { return s.value("progressive") == on }

// MemoryLimit is the most memory that the process may hold in bytes, 0 for a share of
// what is free.
func (s *Settings) MemoryLimit() int64 {
	n, err := ParseBytes(s.value("memory_limit"))
	if err != nil {
		return 0
	}
	return n
}

// ViewCache is the most bytes of views that are kept for other queries, 0 for none.
func (s *Settings) ViewCache() int64 {
	n, err := ParseBytes(s.value("view_cache"))
	if err != nil { // off
		return 0
	}
	return n
}

// MemoryShare is the memory limit that auto stands for where a process could have so
// many bytes in all: what is left is for others, and for what queries do not foresee.
func MemoryShare(bytes int64) int64 { return bytes / 5 * 4 }

// maxThreads is far above any machine's cores, and low enough that goroutines
// with their own memory do not exhaust it by a typing error.
const maxThreads = 1024

func checkThreads(v string) (string, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxThreads {
		return "", fmt.Errorf("%q is not a number of threads from 1 to %d, or auto", v, maxThreads)
	}
	return strconv.Itoa(n), nil
}

// checkDevice accepts names of GPUs whether they are there or not: a file of settings
// serves on many machines.
func checkDevice(v string) (string, error) {
	if word, err := oneOf(DeviceAuto, DeviceCPU)(v); err == nil {
		return word, nil
	}
	name, err := devices.Canonical(v)
	if err != nil {
		return "", fmt.Errorf("%q is not one of %s, %s, or a GPU such as %s", v, DeviceAuto, DeviceCPU, devices.First)
	}
	return name, nil
}

// checkKernels accepts what the processor has.
func checkKernels(v string) (string, error) {
	v, err := oneOf(kernelSets...)(v)
	if err != nil || v == KernelsAuto {
		return v, err
	}
	if _, err := simd.Named(v); err != nil {
		return "", err
	}
	return v, nil
}

func oneOf(values ...string) func(string) (string, error) {
	return func(v string) (string, error) {
		for _, x := range values {
			if strings.EqualFold(v, x) {
				return x, nil
			}
		}
		return "", fmt.Errorf("%q is not one of %s", v, strings.Join(values, ", "))
	}
}

func checkBytes(v string) (string, error) {
	if _, err := ParseBytes(v); err != nil {
		return "", err
	}
	return strings.ReplaceAll(v, " ", ""), nil
}

// checkCache takes the usual words for off beside an amount.
func checkCache(v string) (string, error) {
	switch strings.ToLower(v) {
	case off, "false", "no", "0":
		return off, nil
	}
	if _, err := ParseBytes(v); err != nil {
		return "", fmt.Errorf("%w, or off", err)
	}
	return strings.ReplaceAll(v, " ", ""), nil
}

// minLimit is the least memory limit: below it nothing can run.
const minLimit = 1 << 20

// ParseBytes reads an amount of memory: a number with B, kB, MB, GB (powers of
// 1000) or KiB, MiB, GiB (of 1024). The lower-case and upper-case forms are the
// same.
func ParseBytes(v string) (int64, error) {
	text := strings.ToUpper(strings.ReplaceAll(v, " ", ""))
	unit := 1.0
	for _, u := range []struct {
		suffix string
		factor float64
	}{
		{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"TIB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
	} {
		if strings.HasSuffix(text, u.suffix) {
			text, unit = strings.TrimSuffix(text, u.suffix), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n*unit >= minLimit) || n*unit > 1<<60 {
		return 0, fmt.Errorf("%q is not an amount of memory of at least 1 MiB, such as '4GB' or '512MiB'", v)
	}
	return int64(n * unit), nil
}
