// Command vulncheck runs govulncheck where nothing can be reached but a Go module proxy: the
// database of vulnerabilities is brought as the module golang.org/x/vulndb. It fails where
// the program calls something vulnerable of a module that it requires. What is wrong with
// the standard library is told: that depends on the Go that builds the program.
//
//	go run ./.ci/vulncheck            # with the database of the day below
//	go run ./.ci/vulncheck latest
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The versions, so that the same tree gives the same answer.
const (
	checker  = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
	database = "golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018"
)

// advisory is what is used of an entry in OSV's format.
type advisory struct {
	ID       string   `json:"id"`
	Modified string   `json:"modified"`
	Summary  string   `json:"summary"`
	Aliases  []string `json:"aliases"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Specific struct {
			Imports []struct {
				Systems []string `json:"goos"`
			} `json:"imports"`
		} `json:"ecosystem_specific"`
	} `json:"affected"`
}

// here tells whether it concerns the system that this runs on.
func (a advisory) here() bool {
	for _, m := range a.Affected {
		for _, i := range m.Specific.Imports {
			if len(i.Systems) == 0 || slices.Contains(i.Systems, runtime.GOOS) {
				return true
			}
		}
	}
	return false
}

func main() {
	version := database
	if len(os.Args) > 1 {
		version, _, _ = strings.Cut(database, "@")
		version += "@" + os.Args[1]
	}
	if err := check(version); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func check(version string) error {
	folder, err := os.MkdirTemp("", "vulncheck")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	known, err := bring(version, folder)
	if err != nil {
		return err
	}
	called, err := calls(folder)
	if err != nil {
		return err
	}
	var bad []error
	for id, module := range called {
		switch a := known[id]; {
		case !a.here():
		case module == "stdlib":
			fmt.Printf("%s, %s: %s\n", id, runtime.Version(), a.Summary)
		default:
			bad = append(bad, fmt.Errorf("%s, %s: %s", id, module, a.Summary))
		}
	}
	fmt.Printf("vulncheck: %d advisories of %s, %d of modules called\n", len(known), version, len(bad))
	return errors.Join(bad...)
}

// bring puts the database of a version into a folder, as govulncheck reads it.
func bring(version, folder string) (map[string]advisory, error) {
	var module struct{ Dir, Error string }
	out, err := run("go", "mod", "download", "-json", version)
	if jsonErr := json.Unmarshal(out, &module); jsonErr != nil || module.Dir == "" {
		return nil, fmt.Errorf("downloading %s: %s%w", version, module.Error, errors.Join(err, jsonErr))
	}
	files, err := filepath.Glob(filepath.Join(module.Dir, "data", "osv", "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s has no advisories: %w", version, err)
	}
	for _, sub := range []string{"index", "ID"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o755); err != nil {
			return nil, err
		}
	}
	type vuln struct {
		ID       string   `json:"id"`
		Modified string   `json:"modified"`
		Aliases  []string `json:"aliases,omitempty"`
	}
	type affected struct {
		Path  string `json:"path"`
		Vulns []vuln `json:"vulns"`
	}
	known, modules := map[string]advisory{}, map[string]*affected{}
	var vulns []vuln
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var a advisory
		if err := json.Unmarshal(data, &a); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(folder, "ID", a.ID+".json"), data, 0o644); err != nil {
			return nil, err
		}
		known[a.ID] = a
		vulns = append(vulns, vuln{ID: a.ID, Modified: a.Modified, Aliases: a.Aliases})
		for _, m := range a.Affected {
			if modules[m.Package.Name] == nil {
				modules[m.Package.Name] = &affected{Path: m.Package.Name}
			}
			modules[m.Package.Name].Vulns = append(modules[m.Package.Name].Vulns, vuln{ID: a.ID, Modified: a.Modified})
		}
	}
	var index []affected
	for _, m := range modules {
		index = append(index, *m)
	}
	for name, of := range map[string]any{"db": map[string]string{"modified": "2026-01-01T00:00:00Z"}, "modules": index, "vulns": vulns} {
		data, err := json.Marshal(of)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, "index", name+".json"), data, 0o644); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// calls are the advisories about functions that the program calls, with their modules.
func calls(folder string) (map[string]string, error) {
	out, err := run("go", "run", checker, "-db", "file://"+filepath.ToSlash(folder), "-format", "json", "./...")
	if err != nil {
		return nil, err
	}
	called := map[string]string{}
	for messages := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct {
			Finding *struct {
				OSV   string
				Trace []struct{ Module, Function string }
			}
		}
		if err := messages.Decode(&m); errors.Is(err, io.EOF) {
			return called, nil
		} else if err != nil {
			return nil, fmt.Errorf("what govulncheck printed: %w", err)
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			called[f.OSV] = f.Trace[0].Module
		}
	}
}

// run gives what a command prints.
func run(name string, args ...string) ([]byte, error) {
	c := exec.Command(name, args...)
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, complaints.String())
	}
	return out, err
}
