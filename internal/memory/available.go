package memory

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// System is where the files of the kernel are: "/", or a folder like it.
type System struct{ files fs.FS }

// Here is the system that this process runs on.
func Here() System { return System{os.DirFS("/")} }

// Available is how many bytes more this process could have, and whether that is
// known: what the machine has free, or what the control groups leave if that is
// less.
func (s System) Available() (bytes int64, known bool) {
	bytes, known = s.machine()
	for _, g := range s.groups() {
		if left, limited := g.left(s.files); limited && (!known || left < bytes) {
			bytes, known = left, true
		}
	}
	return bytes, known
}

// Reach is how many bytes this process could have in all, with those that it has
// already; 0 where that is not known.
func (s System) Reach() int64 {
	left, known := s.Available()
	if !known {
		return 0
	}
	return left + s.Resident()
}

// Total is how many bytes the machine has in all, 0 where that is not known.
func (s System) Total() int64 {
	text, err := fs.ReadFile(s.files, "proc/meminfo")
	if err != nil {
		return 0
	}
	n, _ := kilobytes(text, "MemTotal")
	return n
}

// machine is what the machine has free.
func (s System) machine() (int64, bool) {
	text, err := fs.ReadFile(s.files, "proc/meminfo")
	if err != nil {
		return 0, false
	}
	return kilobytes(text, "MemAvailable")
}

// Resident is how many bytes of memory this process has now; 0 where that is not known.
func (s System) Resident() int64 {
	text, err := fs.ReadFile(s.files, "proc/self/status")
	if err != nil {
		return 0
	}
	n, _ := kilobytes(text, "VmRSS")
	return n
}

// kilobytes finds a line "name: number kB", and gives bytes.
func kilobytes(text []byte, name string) (int64, bool) {
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) >= 2 && f[0] == name+":" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}

// group is a control group that may limit memory, with the names of its files.
type group struct {
	folder      string
	limits      []string
	usage       string
	reclaimable string // the line of memory.stat
}

// groups are those that this process is in, the innermost first.
func (s System) groups() (all []group) {
	own, mounts := s.memberships(), s.mounts()
	for _, m := range mounts {
		at, in := own[m.controller]
		if !in {
			continue
		}
		// In a container the path may be the host's, and what is mounted is the
		// group itself.
		at = strings.TrimPrefix(at, m.root)
		folder := path.Join(m.at, at)
		if !strings.HasPrefix(folder, m.at) { // outside of the namespace
			folder = m.at
		}
		for ; ; folder = path.Dir(folder) {
			g := group{folder: folder, limits: []string{"memory.max", "memory.high"}, usage: "memory.current", reclaimable: "inactive_file"}
			if m.controller != "" {
				g.limits, g.usage, g.reclaimable = []string{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file"
			}
			all = append(all, g)
			if len(folder) <= len(m.at) || folder == "." {
				break
			}
		}
	}
	return all
}

// memberships are the paths of this process's groups, by controller: "memory" in
// version 1, "" in version 2.
func (s System) memberships() map[string]string {
	own := map[string]string{}
	text, err := fs.ReadFile(s.files, "proc/self/cgroup")
	if err != nil {
		return own
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() { // number:controllers:path
		f := strings.SplitN(lines.Text(), ":", 3)
		if len(f) != 3 {
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			if c == "" || c == "memory" {
				own[c] = f[2]
			}
		}
	}
	return own
}

// mount is where groups are to be found.
type mount struct{ at, root, controller string }

// mounts are the hierarchies of groups that control memory. A line of mountinfo is
//
//	36 35 98:0 /root /mount/point options... - type source options
func (s System) mounts() (all []mount) {
	text, err := fs.ReadFile(s.files, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		head, tail, ok := strings.Cut(lines.Text(), " - ")
		h, t := strings.Fields(head), strings.Fields(tail)
		if !ok || len(h) < 5 || len(t) < 3 {
			continue
		}
		m := mount{at: strings.TrimPrefix(h[4], "/"), root: strings.TrimSuffix(h[3], "/")}
		switch {
		case t[0] == "cgroup2":
		case t[0] == "cgroup" && contains(t[2], "memory"):
			m.controller = "memory"
		default:
			continue
		}
		all = append(all, m)
	}
	return all
}

func contains(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// left is what the group's limit leaves, and whether it has one.
func (g group) left(files fs.FS) (int64, bool) {
	number := func(name string) (int64, bool) {
		text, err := fs.ReadFile(files, path.Join(g.folder, name))
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil // version 2 says "max" where there is no limit
	}
	used, known := number(g.usage)
	if !known {
		return 0, false
	}
	if text, err := fs.ReadFile(files, path.Join(g.folder, "memory.stat")); err == nil {
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 2 && f[0] == g.reclaimable {
				if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					used -= n
				}
			}
		}
	}
	least, limited := int64(0), false
	for _, name := range g.limits {
		if n, ok := number(name); ok && n < unlimited && (!limited || n < least) {
			least, limited = n, true
		}
	}
	return max(0, least-max(0, used)), limited
}

// unlimited is above any limit that is meant as one: version 1 says the largest
// number of whole pages where there is none.
const unlimited = 1 << 60
