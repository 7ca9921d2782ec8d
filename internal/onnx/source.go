package onnx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"

	"occlude/internal/cause"
)

// source is the content of a file, on disk or in memory.
type source struct {
	io.ReaderAt
	size int64
}

// cancellable fails to read once its context has ended.
type cancellable struct {
	ctx context.Context
	io.ReaderAt
}

func (c cancellable) ReadAt(p []byte, at int64) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.ReaderAt.ReadAt(p, at)
}

func inMemory(data []byte) source { return source{bytes.NewReader(data), int64(len(data))} }

// maxFile is what a protobuf message can hold at most; larger models keep their
// weights in external files.
const maxFile = 2 << 30

// readFile decodes the file at path, which should be what its name says.
func readFile[T any](path, what string, decode func(source) (T, error)) (out T, err error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	switch {
	case err != nil:
		return out, cause.Of(err)
	case info.IsDir():
		return out, errors.New("it is a folder, not a file")
	case !info.Mode().IsRegular():
		return out, errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return out, fmt.Errorf("%d bytes are more than the 2 GiB that %s can have", info.Size(), what)
	}
	f, err := os.Open(path)
	if err != nil {
		return out, cause.Of(err)
	}
	defer f.Close()
	return decode(source{f, info.Size()})
}

// unmarshal reads the message that the file holds, stripped.
func (f source) unmarshal(into proto.Message, what string) error {
	if f.size == 0 {
		return fmt.Errorf("not %s: it is empty", what)
	}
	data, err := strip(f, into.ProtoReflect().Descriptor())
	if err == nil {
		err = proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, into)
	}
	if m, ok := into.(*protos.ModelProto); err == nil && ok && m.Graph == nil {
		err = errors.New("it holds no graph")
	}
	if err == nil {
		return nil
	}
	head := make([]byte, min(f.size, sniffed))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return cause.Of(err)
	}
	if kind := sniff(head, f.size); kind != "" {
		return fmt.Errorf("not %s: it looks like %s", what, kind)
	}
	return fmt.Errorf("not %s, or truncated or damaged (%d bytes): %w", what, f.size, err)
}
