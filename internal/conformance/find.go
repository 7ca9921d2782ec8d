package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// testCase is one case to run.
type testCase struct {
	name  string
	model string    // path of the .onnx file
	sets  []dataSet // empty only where broken is set
	// broken says why the case cannot even be tried.
	broken error
}

// dataSet is what one run of the model is given and must give back.
type dataSet struct {
	name    string   // of the folder; "" for a lone model
	inputs  []string // files; nil for a lone model, whose input is a ramp
	outputs []string
	lone    bool
}

// find lists the cases under paths in the order of the paths and, below them,
// of names. A path without any is an error.
func find(paths []string) ([]testCase, error) {
	if len(paths) == 0 {
		return nil, errors.New("no path to look for test cases is given")
	}
	var all []testCase
	for _, path := range paths {
		found, err := findUnder(path)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%q: no test case found: neither a folder with an .onnx file and test_data_set_*/ nor NAME.onnx with NAME_output_0.pb", path)
		}
		for i := range found {
			name := &found[i].name
			switch {
			case len(paths) > 1:
				*name = filepath.Join(path, *name)
			case *name == ".":
				*name = baseName(path)
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

// findUnder lists the cases at or below one path, named relative to it: "." is
// the path itself.
func findUnder(path string) ([]testCase, error) {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return findFile(path, root)
	}
	var found []testCase
	err = filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(root, dir)
		if err := cmp.Or(err, relErr); err != nil {
			found = append(found, testCase{name: name, broken: err})
			return nil
		}
		if !d.IsDir() {
			return nil
		}
		if strings.HasPrefix(d.Name(), dataSetPrefix) && dir != root {
			return fs.SkipDir
		}
		here, err := casesIn(dir, name)
		if err != nil {
			here = []testCase{{name: name, broken: err}}
		}
		found = append(found, here...)
		return nil
	})
	return found, err
}

// baseName names the case at path, also when path is "." or "..".
func baseName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return filepath.Base(path)
}

// findFile is the case of one .onnx file.
func findFile(path, root string) ([]testCase, error) {
	if filepath.Ext(root) != ".onnx" {
		return nil, fmt.Errorf("%q: neither a folder nor an .onnx file", path)
	}
	cases, err := casesIn(filepath.Dir(root), ".")
	if err != nil {
		return nil, err
	}
	cases = slices.DeleteFunc(cases, func(c testCase) bool { return c.model != root })
	for i := range cases {
		cases[i].name = "."
	}
	return cases, nil
}

const dataSetPrefix = "test_data_set_"

// casesIn lists the cases whose model lies in the folder dir itself. A folder's
// case has the folder's name; with several models, theirs below it.
func casesIn(dir, name string) ([]testCase, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var models []string
	var sets []dataSet
	var setErr error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), dataSetPrefix):
			set, err := readSet(path)
			if err != nil {
				setErr = errors.Join(setErr, err)
			}
			sets = append(sets, set)
		case filepath.Ext(e.Name()) == ".onnx":
			models = append(models, path)
		}
	}
	slices.SortFunc(sets, func(a, b dataSet) int {
		return numberOf(a.name, dataSetPrefix, "") - numberOf(b.name, dataSetPrefix, "")
	})
	var cases []testCase
	var plain []string // models without outputs of their own
	for _, m := range models {
		stem := strings.TrimSuffix(m, ".onnx")
		outputs, err := numbered(dir, filepath.Base(stem)+"_output_")
		if len(outputs) == 0 && err == nil {
			plain = append(plain, m)
			continue
		}
		cases = append(cases, testCase{
			name: filepath.Join(name, filepath.Base(stem)), model: m, broken: err,
			sets: []dataSet{{outputs: outputs, lone: true}},
		})
	}
	if len(sets) == 0 {
		return cases, nil
	}
	if len(plain) == 0 && len(cases) == 0 {
		return []testCase{{name: name, broken: errors.New("the folder has data but no .onnx file")}}, nil
	}
	for _, m := range plain {
		c := testCase{name: name, model: m, sets: sets, broken: setErr}
		if len(plain) > 1 {
			c.name = filepath.Join(name, filepath.Base(m))
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func readSet(dir string) (dataSet, error) {
	set := dataSet{name: filepath.Base(dir)}
	var err error
	if set.inputs, err = numbered(dir, "input_"); err != nil {
		return set, err
	}
	if set.outputs, err = numbered(dir, "output_"); err != nil {
		return set, err
	}
	if len(set.outputs) == 0 {
		return set, fmt.Errorf("%s has no output_0.pb", set.name)
	}
	return set, nil
}

// numbered lists the files prefix0.pb, prefix1.pb ... of a folder in the order
// of their numbers, which must not leave one out.
func numbered(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if numberOf(e.Name(), prefix, ".pb") >= 0 {
			files = append(files, e.Name())
		}
	}
	slices.SortFunc(files, func(a, b string) int { return numberOf(a, prefix, ".pb") - numberOf(b, prefix, ".pb") })
	for i, f := range files {
		if numberOf(f, prefix, ".pb") != i {
			return nil, fmt.Errorf("%s: %s%d.pb is missing", filepath.Base(dir), prefix, i)
		}
		files[i] = filepath.Join(dir, f)
	}
	return files, nil
}

// numberOf is the number between prefix and suffix, -1 if there is none.
func numberOf(name, prefix, suffix string) int {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return -1
	}
	if rest, ok = strings.CutSuffix(rest, suffix); !ok {
		return -1
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 || strconv.Itoa(n) != rest {
		return -1
	}
	return n
}
