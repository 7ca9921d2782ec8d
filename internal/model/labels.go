package model

import (
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"occlude/internal/cause"
)

// maxLabels bounds the size of a labels file in bytes.
const maxLabels = 16 << 20

// readLabels reads one label per line, UTF-8, line i naming class i. Space
// around a label and empty lines at the end do not count; an empty line between
// labels would leave a class without a name, or move the ones behind it, and is
// an error. Two classes may share a label, as cranes do in ImageNet.
func readLabels(path string) ([]string, error) {
	labels, err := parseLabels(path)
	if err != nil {
		return nil, fmt.Errorf("labels %q: %w", path, err)
	}
	return labels, nil
}

func parseLabels(path string) ([]string, error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	switch {
	case err != nil:
		return nil, cause.Of(err)
	case info.IsDir():
		return nil, fmt.Errorf("it is a folder, not a text file")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("it is not a regular file")
	case info.Size() > maxLabels:
		return nil, fmt.Errorf("%d bytes are too many for a file of one label per line", info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, cause.Of(err)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if text = strings.TrimRightFunc(text, unicode.IsSpace); text == "" {
		return nil, fmt.Errorf("the file is empty")
	}
	labels := strings.Split(text, "\n")
	for i, l := range labels {
		l = strings.TrimSpace(l) // the \r of Windows, too
		switch {
		case !utf8.ValidString(l):
			return nil, fmt.Errorf("line %d is not UTF-8 text", i+1)
		case l == "":
			return nil, fmt.Errorf("line %d is empty: every line names a class", i+1)
		case strings.ContainsFunc(l, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
			return nil, fmt.Errorf("line %d is not text: it holds a control character", i+1)
		}
		labels[i] = l
	}
	return labels, nil
}
