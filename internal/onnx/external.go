package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/cause"
)

// externalFiles reads tensors that are kept beside the model. os.Root confines
// it to the model's folder: absolute locations, "..", and symbolic links that
// lead out of it are refused.
type externalFiles struct {
	dir  string
	root *os.Root
	open map[string]*externalFile
}

type externalFile struct {
	*os.File
	size, read int64
}

// maxReuse is how often over a file's bytes may be read: tied weights may share
// a range, but a small file must not become thousands of large tensors.
const maxReuse = 8

func (e *externalFiles) close() {
	for _, f := range e.open {
		f.Close()
	}
	if e.root != nil {
		e.root.Close()
	}
}

// find returns the bytes of an external tensor of n elements, yet to be read.
func (e *externalFiles) find(p *protos.TensorProto, n int, d DType) (*io.SectionReader, error) {
	var location string
	offset, length := int64(0), int64(-1)
	for _, kv := range p.ExternalData {
		var err error
		switch kv.GetKey() {
		case "location":
			location = kv.GetValue()
		case "offset":
			offset, err = strconv.ParseInt(kv.GetValue(), 10, 64)
		case "length":
			length, err = strconv.ParseInt(kv.GetValue(), 10, 64)
		}
		if err == nil {
			err = checkNames(kv.GetValue())
		}
		if err != nil && len(kv.GetValue()) > maxName {
			return nil, fmt.Errorf("external data: %w", err)
		}
		if err != nil {
			return nil, fmt.Errorf("external data: %s %q is not a number", kv.GetKey(), kv.GetValue())
		}
	}
	if len(p.RawData) > 0 || typedLen(p) > 0 {
		return nil, errors.New("the tensor has its elements twice, inside the file and external")
	}
	size := elementBytes(d)
	if size == 0 {
		return nil, fmt.Errorf("a tensor of %s cannot have external data", d)
	}
	f, err := e.file(location)
	if err != nil {
		return nil, fmt.Errorf("external data %q: %w", location, err)
	}
	want := int64(n) * int64(size)
	if length < 0 {
		length = want
	}
	switch {
	case length != want:
		return nil, fmt.Errorf("external data %q: %d bytes are given where %d elements of %s need %d", location, length, n, d, want)
	case offset < 0 || offset > f.size || length > f.size-offset:
		return nil, fmt.Errorf("external data %q: %d bytes at offset %d are outside of the file's %d", location, length, offset, f.size)
	case f.read+length > maxReuse*f.size:
		return nil, fmt.Errorf("external data %q: the model's tensors are %d times larger than the file", location, maxReuse)
	}
	f.read += length
	return io.NewSectionReader(f, offset, length), nil
}

// file opens a file of the model's folder, once.
func (e *externalFiles) file(location string) (*externalFile, error) {
	if f, ok := e.open[location]; ok {
		return f, nil
	}
	name := filepath.FromSlash(location)
	switch {
	case location == "":
		return nil, errors.New("no file is named")
	case e.dir == "":
		return nil, errors.New("there is no folder to look for it")
	case !filepath.IsLocal(name):
		return nil, errors.New("it lies outside of the model's folder")
	}
	if e.root == nil {
		root, err := os.OpenRoot(e.dir)
		if err != nil {
			return nil, err
		}
		e.root = root
		e.open = map[string]*externalFile{}
	}
	info, err := e.root.Stat(name) // before opening: a pipe would block
	if err != nil {
		return nil, cause.Of(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := e.root.Open(name)
	if err != nil {
		return nil, cause.Of(err)
	}
	e.open[location] = &externalFile{File: f, size: info.Size()}
	return e.open[location], nil
}
