package memory

import (
	"os"
	"runtime"
	"testing"
	"testing/fstest"
)

// system is a file system of a kernel's files.
func system(files map[string]string) System {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return System{m}
}

// What is free is what the machine has, or the tightest of the groups around the
// process, of whichever version, without the files that can be dropped.
func TestAvailable(t *testing.T) {
	const meminfo = "MemTotal:  16000 kB\nMemFree:  100 kB\nMemAvailable:    8000 kB\n"
	const v1 = "30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	const v2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		known bool
	}{
		"nothing is known": {nil, 0, false},
		"a machine":        {map[string]string{"proc/meminfo": meminfo}, 8000 << 10, true},
		"damaged":          {map[string]string{"proc/meminfo": "MemAvailable: many kB\n", "proc/self/cgroup": "a\nb:c", "proc/self/mountinfo": " - \n- \n1 2 3 4 5 - cgroup2"}, 0, false},
		"version 2": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "4096\n",
			"sys/fs/cgroup/a/memory.max": "1000000\n", "sys/fs/cgroup/a/memory.current": "900000\n",
			"sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 300000\nactive_file 100\n",
		}, 400000, true},
		"version 2, slowed down": {map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/memory.high": "500000", "sys/fs/cgroup/memory.current": "100000\n",
		}, 400000, true},
		"version 1": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:cpu,memory:/job\n0::/\n", "proc/self/mountinfo": v1,
			"sys/fs/cgroup/memory/job/memory.limit_in_bytes": "2000000", "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1500000",
			"sys/fs/cgroup/memory/job/memory.stat": "inactive_file 7\ntotal_inactive_file 250000\n",
		}, 750000, true},
		"version 1 without a limit": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/job\n", "proc/self/mountinfo": v1,
			"sys/fs/cgroup/memory/job/memory.limit_in_bytes": "9223372036854771712", "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1500000",
		}, 8000 << 10, true},
		"a container that sees its own group as the root": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/docker/1f\n",
			"proc/self/mountinfo":                        "30 24 0:26 /docker/1f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000", "sys/fs/cgroup/memory/memory.usage_in_bytes": "500000",
		}, 1500000, true},
		"over its limit": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/..\n", "proc/self/mountinfo": v2,
			"sys/fs/cgroup/memory.max": "10", "sys/fs/cgroup/memory.current": "20",
		}, 0, true},
	} {
		if got, known := system(c.files).Available(); got != c.want || known != c.known {
			t.Errorf("%s: %d, %v; want %d, %v", name, got, known, c.want, c.known)
		}
	}
}

// Reach counts what the process has already.
func TestReach(t *testing.T) {
	s := system(map[string]string{"proc/meminfo": "MemAvailable: 100 kB\n", "proc/self/status": "VmHWM:\t 30 kB\nVmRSS:\t 20 kB\n"})
	if got := s.Reach(); got != 120<<10 {
		t.Errorf("%d bytes, want those that are free and those that are taken", got)
	}
	if s.Resident() != 20<<10 {
		t.Errorf("resident %d", s.Resident())
	}
	if got := system(nil).Reach(); got != 0 {
		t.Errorf("%d bytes where nothing is known", got)
	}
	if _, err := os.Stat("/proc/meminfo"); runtime.GOOS == "linux" && err == nil && Here().Reach() <= Here().Resident() {
		t.Errorf("of this process: reach %d, resident %d", Here().Reach(), Here().Resident())
	}
}

// An array counts once, by all of its memory.
func TestArrays(t *testing.T) {
	a, b := make([]float32, 10, 16), make([]float32, 3)
	var known Arrays
	if n := known.Add(a, b, a[:4], nil); n != 4*(16+3) {
		t.Errorf("%d bytes", n)
	}
	if n := known.Add(b, make([]float32, 1)); n != 4 {
		t.Errorf("%d bytes more", n)
	}
}
