package complete

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"occlude/internal/imageio"
	"occlude/lang"
)

// mostFiles is how many files of a folder are offered: nobody chooses among more.
const mostFiles = 200

// files offers what is in the folder that was typed: folders, and files of the kind
// that is wanted.
func (c *completer) files(kind lang.Kind) {
	if c.next.Quote != "'" && c.next.Typed != "" {
		return
	}
	for _, path := range Files(c.typed(), func(name string) bool { return c.wanted(kind, name) }) {
		c.offer(Candidate{Text: c.quote(path, strings.HasSuffix(path, "/")), Kind: string(kind)})
	}
}

// Files lists the paths that what was typed may become: folders, with a slash at their
// end, and those files that are wanted by their name.
func Files(typed string, wanted func(name string) bool) []string {
	typed = filepath.ToSlash(typed)
	folder, begun := "", typed
	if i := strings.LastIndexByte(typed, '/'); i >= 0 {
		folder, begun = typed[:i+1], typed[i+1:]
	}
	entries, err := os.ReadDir(filepath.FromSlash(firstOf(folder, ".")))
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, begun) || strings.HasPrefix(name, ".") && begun == "" || strings.ContainsFunc(name, unicode.IsControl) {
			continue
		}
		if len(found) >= mostFiles {
			break
		}
		// A link counts as what it leads to.
		info, err := os.Stat(filepath.Join(folder, name))
		switch {
		case err != nil:
		case info.IsDir():
			found = append(found, folder+name+"/")
		case wanted(name):
			found = append(found, folder+name)
		}
	}
	return found
}

// wanted reports whether a file is of the kind that the place is for, as far as its
// name tells.
func (c *completer) wanted(kind lang.Kind, name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	if kind == lang.KindImage {
		return slices.Contains(imageio.Extensions(), extension)
	}
	last := len(c.next.Before) - 1
	if c.creates() && strings.EqualFold(c.next.Before[last], "FROM") {
		return extension == ".onnx"
	}
	return true
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
