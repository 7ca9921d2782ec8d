package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"occlude/internal/cause"
)

// hashing starts to hash a file and gives a function that waits for the result:
// SHA-256 in hexadecimal, and the file's size. It runs beside the decoding of
// the same file, which keeps other parts of the machine busy, and holds only a
// buffer of it.
func hashing(ctx context.Context, path string) func() (sum string, size int64, err error) {
	type result struct {
		sum  string
		size int64
		err  error
	}
	done := make(chan result, 1) // nobody may ask: the file may be no model
	go func() {
		var r result
		r.sum, r.size, r.err = hash(ctx, path)
		done <- r
	}()
	return func() (string, int64, error) {
		select {
		case r := <-done:
			return r.sum, r.size, r.err
		case <-ctx.Done():
			return "", 0, context.Cause(ctx)
		}
	}
}

func hash(ctx context.Context, path string) (string, int64, error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	if err != nil {
		return "", 0, cause.Of(err)
	}
	if !info.Mode().IsRegular() {
		return "", 0, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", 0, cause.Of(err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.CopyBuffer(h, reader{ctx, f}, make([]byte, 1<<20))
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
}

// reader reads until the context is done. It hides the file's other methods, so
// that the copy goes through the buffer it is given.
type reader struct {
	ctx context.Context
	f   *os.File
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.f.Read(p)
}
