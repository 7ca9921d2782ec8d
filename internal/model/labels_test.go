package model

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	dir := t.TempDir()
	path := classifier(3, false).File(t, dir, "m.onnx")
	labels := filepath.Join(dir, "labels.txt")
	abc := []string{"ant", "bee", "cat"}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"plain":            {"ant\nbee\ncat", abc},
		"newline at end":   {"ant\nbee\ncat\n", abc},
		"lines at the end": {"ant\nbee\ncat\n\n \t\n\n", abc},
		"Windows":          {"ant\r\nbee\r\ncat\r\n", abc},
		"byte order mark":  {"\ufeffant\nbee\ncat\n", abc},
		"spaces":           {" ant\nbee  \n\tcat\n", abc},
		"spaces within":    {"great white shark\nAfrican grey\ntench, Tinca tinca", []string{"great white shark", "African grey", "tench, Tinca tinca"}},
		"twice the same":   {"crane\ncrane\nkite", []string{"crane", "crane", "kite"}},
		"all of Unicode":   {"Ödem\n黄斑\nđột quỵ", []string{"Ödem", "黄斑", "đột quỵ"}},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, labels, c.text)
			m, err := load(t, path, Options{Labels: labels})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(m.Labels, c.want) || m.Label(1) != c.want[1] {
				t.Errorf("labels are %q", m.Labels)
			}
		})
	}
	for name, c := range map[string]struct{ text, says string }{
		"too few":           {"ant\nbee\n", "2 labels for a model of 3 classes"},
		"too many":          {"ant\nbee\ncat\ndog\n", "4 labels for a model of 3 classes"},
		"empty":             {"", "empty"},
		"nothing but space": {"\n \r\n\n", "empty"},
		"empty in between":  {"ant\n\ncat\n", "line 2 is empty"},
		"empty at first":    {"\nant\nbee\ncat", "line 1 is empty"},
		"Latin-1":           {"ant\nb\xe9e\ncat", "line 2 is not UTF-8"},
		"UTF-16":            {"\xff\xfea\x00n\x00", "line 1 is not UTF-8"},
		"escapes":           {"ant\n\x1b[2Jbee\ncat", "line 2 is not text"},
		"a binary":          {"\x00\x00\x00\n\x01", "line 1 is not text"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, labels, c.text)
			_, err := load(t, path, Options{Labels: labels})
			says(t, err, labels, c.says)
		})
	}
}

func TestNoLabelsFile(t *testing.T) {
	dir := t.TempDir()
	path := classifier(3, false).File(t, dir, "m.onnx")
	for name, says1 := range map[string]string{"missing.txt": "no such file", ".": "folder"} {
		file := filepath.Join(dir, name)
		_, err := load(t, path, Options{Labels: file})
		says(t, err, file, says1)
		if strings.Count(err.Error(), file) != 1 {
			t.Errorf("the error %q repeats the path", err)
		}
	}
	_, err := load(t, path, Options{Labels: os.DevNull})
	says(t, err, os.DevNull, "not a regular file")
	huge := filepath.Join(dir, "huge")
	write(t, huge, "")
	if err := os.Truncate(huge, maxLabels+1); err != nil {
		t.Fatal(err)
	}
	_, err = load(t, path, Options{Labels: huge})
	says(t, err, huge, "too many")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
