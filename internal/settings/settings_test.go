package settings_test

import (
	"runtime"
	"strings"
	"testing"

	"occlude/internal/settings"
	"occlude/operators/cpu/simd"
)

func TestDefaults(t *testing.T) {
	var s settings.Settings
	for _, x := range settings.All() {
		v, err := s.Get(x.Name)
		if err != nil || v != x.Default || x.Meaning == "" {
			t.Errorf("%s is %q, %v; default %q, meaning %q", x.Name, v, err, x.Default, x.Meaning)
		}
		if got, err := settings.Check(x.Name, strings.ToUpper(x.Default)); err != nil || got != x.Default {
			t.Errorf("the default of %s is checked as %q, %v", x.Name, got, err)
		}
	}
	if s.Threads() != runtime.GOMAXPROCS(0) || s.MemoryLimit() != 0 || s.ViewCache() != 512e6 || s.Format() != settings.FormatTable {
		t.Errorf("%d threads, %d bytes, format %s", s.Threads(), s.MemoryLimit(), s.Format())
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ name, value, want, complaint string }{
		{"threads", "3", "3", ""},
		{"threads", "007", "7", ""},
		{"threads", "0", "", "from 1 to 1024"},
		{"threads", "1025", "", "from 1 to 1024"},
		{"threads", "-1", "", "from 1 to 1024"},
		{"threads", "2.5", "", "from 1 to 1024"},
		{"threads", "99999999999999999999", "", "from 1 to 1024"},
		{"format", "JSON", "json", ""},
		{"format", "xml", "", "is not one of table, csv, tsv, json, vertical"},
		{"device", "CPU", "cpu", ""},
		{"device", "CUDA", "cuda:0", ""},
		{"device", "cuda:3", "cuda:3", ""},
		{"device", "gpu", "", "is not one of auto, cpu, or a GPU such as cuda:0"},
		{"kernels", "Generic", "generic", ""},
		{"kernels", "auto", "auto", ""},
		{"kernels", "neon", "", "is not one of auto, avx512, avx2, generic"},
		{"memory_limit", "4 GB", "4GB", ""},
		{"memory_limit", "auto", "auto", ""},
		{"memory_limit", "lots", "", "amount of memory"},
		{"view_cache", "1 GiB", "1GiB", ""},
		{"view_cache", "OFF", "off", ""},
		{"view_cache", "0", "off", ""},
		{"view_cache", "false", "off", ""}, // as the language reads off
		{"view_cache", "much", "", "or off"},
		{"speed", "1", "", "no setting"},
	} {
		var s settings.Settings
		err := s.Set(c.name, c.value)
		if c.complaint != "" {
			if err == nil || !strings.Contains(err.Error(), c.complaint) {
				t.Errorf("%s = %s: %v", c.name, c.value, err)
			}
			continue
		}
		if v, getErr := s.Get(c.name); err != nil || getErr != nil || v != c.want {
			t.Errorf("%s = %s: %q, %v, %v", c.name, c.value, v, err, getErr)
		}
	}
}

// Every set of kernels that this processor has can be asked for, and no other;
// without a word it is the best one.
func TestKernels(t *testing.T) {
	var s settings.Settings
	if s.Kernels() != simd.Best().Name {
		t.Errorf("auto is %s, the best is %s", s.Kernels(), simd.Best().Name)
	}
	has := map[string]bool{}
	for _, set := range simd.Available() {
		has[set.Name] = true
		if err := s.Set("kernels", set.Name); err != nil || s.Kernels() != set.Name {
			t.Errorf("%s: %s, %v", set.Name, s.Kernels(), err)
		}
	}
	for _, name := range []string{"avx512", "avx2"} {
		if _, err := settings.Check("kernels", name); (err == nil) != has[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"4GB": 4e9, "4 gb": 4e9, "512MiB": 512 << 20, "1.5 GiB": 3 << 29, "2000kB": 2e6, "1048576": 1 << 20,
		"1048576B": 1 << 20, "1tb": 1e12, "2TiB": 2 << 40, "1e10": 1e10,
	} {
		if n, err := settings.ParseBytes(text); err != nil || n != want {
			t.Errorf("%q is %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "B", "GB", "1", "1048575", "-4GB", "NaN", "inf", "infGB", "1e300GB", "4 potatoes", "4GBGB"} {
		if n, err := settings.ParseBytes(text); err == nil {
			t.Errorf("%q is %d", text, n)
		}
	}
}

// RESET goes back to what the command line said.
func TestStart(t *testing.T) {
	var s settings.Settings
	if err := s.Start("format", "json"); err != nil {
		t.Fatal(err)
	}
	if err := s.Set("format", "csv"); err != nil {
		t.Fatal(err)
	}
	if s.Format() != "csv" {
		t.Error(s.Format())
	}
	if err := s.Reset("format"); err != nil || s.Format() != "json" {
		t.Error(s.Format(), err)
	}
	if err := s.Set("format", "tsv"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(""); err != nil || s.Format() != "json" {
		t.Error(s.Format(), err)
	}
	if s.Start("format", "xml") == nil || s.Start("speed", "1") == nil || s.Reset("speed") == nil {
		t.Error("a mistake is accepted")
	}
}
