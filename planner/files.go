package planner

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"occlude/internal/atomicfile"
	"occlude/internal/imageio"
	"occlude/lang"
)

// checkOutputs makes sure before any work that each file can be written and
// that no two are the same.
func checkOutputs(at []lang.String, outs []Output, images []string, perImage bool) error {
	seen := map[string]bool{}
	files := newOutputFiles(images)
	for i, o := range outs {
		paths := []string{o.Path}
		if perImage && len(images) > 1 && !strings.Contains(o.Path, ImagePlaceholder) {
			return lang.Errorf(at[i].Span(), "%d images would all be written to %q", len(images), o.Path).
				WithHint("put " + ImagePlaceholder + " into the name: it stands for the image's base name without extension")
		}
		if perImage {
			paths = paths[:0]
			for _, image := range images {
				paths = append(paths, o.For(image))
			}
		}
		for _, path := range paths {
			key := filepath.Clean(path)
			if seen[key] {
				return lang.Errorf(at[i].Span(), "%q would be written twice", path)
			}
			seen[key] = true
			if err := files.writable(path); err != nil {
				return lang.Errorf(at[i].Span(), "%w", err)
			}
		}
	}
	return nil
}

// ImagePlaceholder stands for an image's base name without extension in the
// name of an output.
const ImagePlaceholder = "{image}"

// For is the output's path for an image.
func (o Output) For(image string) string {
	return strings.ReplaceAll(o.Path, ImagePlaceholder, BaseName(image))
}

// BaseName is what ImagePlaceholder stands for. A frame that was asked for by its number
// puts that behind the name: ct.dcm#3 is ct-3.
func BaseName(image string) string {
	path, frame := imageio.SplitFrame(image)
	base := filepath.Base(path)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	if path != image {
		base = fmt.Sprintf("%s-%d", base, frame)
	}
	return base
}

// outputFiles looks at files to write. It looks once at each image and at each
// folder, for there may be thousands of both.
type outputFiles struct {
	images  map[fileKey][]imageFile
	folders map[string]error
}

type imageFile struct {
	path string
	info os.FileInfo
}

// fileKey is what two names of one file share; os.SameFile has the last word.
type fileKey struct{ size, modified int64 }

func keyOf(info os.FileInfo) fileKey { return fileKey{info.Size(), info.ModTime().UnixNano()} }

func newOutputFiles(images []string) *outputFiles {
	f := &outputFiles{images: map[fileKey][]imageFile{}, folders: map[string]error{}}
	for _, image := range images {
		path, _ := imageio.SplitFrame(image)
		if info, err := os.Stat(path); err == nil {
			f.images[keyOf(info)] = append(f.images[keyOf(info)], imageFile{image, info})
		}
	}
	return f
}

// writable makes sure that a file can be written and is none of those that are
// read.
func (f *outputFiles) writable(path string) error {
	if path == "" {
		return fmt.Errorf("an output needs a name")
	}
	old, missing := os.Stat(path)
	if missing == nil {
		if old.IsDir() {
			return fmt.Errorf("%q is a folder, not a file to write", path)
		}
		for _, image := range f.images[keyOf(old)] {
			if os.SameFile(image.info, old) {
				return fmt.Errorf("%q would be written over the image %q", path, image.path)
			}
		}
		if !old.Mode().IsRegular() {
			return nil // a pipe or a device is written as it is
		}
	}
	if err := f.takes(path, missing); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}

// takes makes sure that a file can be replaced or made, of which the system says that it
// is there (nil), or why it cannot be looked at.
func (f *outputFiles) takes(path string, missing error) error {
	target, err := atomicfile.Target(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	err, known := f.folders[dir]
	if !known {
		err = writableFolder(dir)
		f.folders[dir] = err
	}
	switch {
	case err != nil:
		return err
	case missing == nil: // the folder's permission is not the file's
		old, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return reason(err)
		}
		return old.Close()
	case !errors.Is(missing, fs.ErrNotExist): // its name is too long, say
		return reason(missing)
	}
	return nil
}

// reason is an error of the file system without the name of the file.
func reason(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func writableFolder(dir string) error {
	switch info, err := os.Stat(dir); {
	case err != nil:
		return fmt.Errorf("the folder %q does not exist", dir)
	case !info.IsDir():
		return fmt.Errorf("%q is not a folder", dir)
	}
	probe, err := os.CreateTemp(dir, ".occlude-*") // as it will be done in the end
	if err != nil {
		return fmt.Errorf("the folder %q takes no new files", dir)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// checkImage makes sure that an image's file is there.
func checkImage(file lang.String, what string) error {
	file.Value, _ = imageio.SplitFrame(file.Value)
	return checkFile(file, what)
}

// checkFile makes sure that a file to read is there.
func checkFile(file lang.String, what string) error {
	info, err := os.Stat(file.Value)
	switch {
	case err == nil && info.IsDir():
		return lang.Errorf(file.Span(), "%s %q is a folder", what, file.Value)
	case err == nil && !info.Mode().IsRegular():
		return lang.Errorf(file.Span(), "%s %q is not a regular file", what, file.Value)
	case err == nil:
		return nil
	case os.IsNotExist(err):
		return lang.Errorf(file.Span(), "there is no %s file %q", what, file.Value).WithHint(similarFile(file.Value))
	}
	return lang.Errorf(file.Span(), "%s %q: %w", what, file.Value, err)
}

// listable makes sure that the folders of a pattern can be read. To filepath.Glob those
// that cannot are empty, and images would be passed over in silence.
func listable(pattern string) error {
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			continue
		}
		if err := list(folder); err != nil {
			return fmt.Errorf("the folder %q cannot be read: %w", folder, reason(err))
		}
	}
	if strings.ContainsAny(pattern, "*?[") {
		return listable(filepath.Dir(pattern))
	}
	return nil
}

// list reads a folder's first name.
func list(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Readdirnames(1); err != io.EOF {
		return err
	}
	return nil
}

// similarFile suggests a file of the same folder with a similar name, or the few that
// there are of its kind.
func similarFile(path string) string {
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(path, "~/") {
		return fmt.Sprintf("~ is a folder of that name here; write '%s'", filepath.Join(home, path[2:]))
	}
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		hint := fmt.Sprintf("the folder %q does not exist either", dir)
		if here, err := os.Getwd(); err == nil && !filepath.IsAbs(path) {
			hint += "; names are relative to " + here
		}
		return hint
	}
	names, alike := make([]string, 0, len(entries)), []string(nil)
	for _, e := range entries {
		names = append(names, e.Name())
		if ext := filepath.Ext(path); ext != "" && strings.EqualFold(filepath.Ext(e.Name()), ext) {
			alike = append(alike, e.Name())
		}
	}
	if hint := lang.DidYouMean(filepath.Base(path), names); hint != "" || len(alike) == 0 || len(alike) > fewFiles {
		return hint
	}
	return "the folder has " + strings.Join(alike, ", ")
}

// fewFiles is how many names of files a hint lists.
const fewFiles = 5

// inFolder says how to name the files of these endings in a folder that itself was named
// where one of them is meant.
func inFolder(dir string, endings []string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	count := map[string]int{}
	most, last := "", ""
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		if e.IsDir() || !slices.Contains(endings, strings.ToLower(ending)) {
			continue
		}
		last = e.Name()
		if count[ending]++; count[ending] > count[most] {
			most = ending
		}
	}
	switch {
	case most == "":
		return ""
	case count[most] == 1 && len(count) == 1:
		return fmt.Sprintf("write '%s'", filepath.Join(dir, last))
	case len(endings) == 1:
		return "name one of its files"
	}
	return fmt.Sprintf("'%s' stands for the %d in it", filepath.Join(dir, "*"+most), count[most])
}
