package onnx

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// signatures are the first bytes of files that people hand to an ONNX reader by
// mistake.
var signatures = []struct {
	at    int
	magic string
	what  string
}{
	{0, "\x89PNG\r\n", "a PNG image"},
	{0, "\xff\xd8\xff", "a JPEG image"},
	{0, "GIF8", "a GIF image"},
	{0, "BM", "a BMP image"},
	{8, "WEBP", "a WebP image"},
	{0, "II*\x00", "a TIFF image"},
	{0, "MM\x00*", "a TIFF image"},
	{0, "PK\x03\x04", "a zip archive, as PyTorch (.pt, .pth) and Keras (.keras) write; export the model to ONNX first"},
	{0, "\x89HDF\r\n", "an HDF5 file, as Keras (.h5) writes; convert the model to ONNX first"},
	{4, "TFL3", "a TensorFlow Lite model"},
	{4, "ORTM", "an ONNX Runtime .ort model; the .onnx file that it was made from is needed"},
	{0, "\x93NUMPY", "a NumPy array"},
	{0, "\x1f\x8b", "a gzip archive; unpack it first"},
	{0, "\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"},
	{0, "\xfd7zXZ", "an xz archive; unpack it first"},
	{0, "version https://git-lfs", "a Git LFS pointer; fetch the file itself with \"git lfs pull\""},
	{0, "%PDF", "a PDF document"},
	{0, "\x7fELF", "a program"},
	{0, "GGUF", "a GGUF model"},
	{0, "\x80\x02", "a Python pickle, as old PyTorch files are; export the model to ONNX first"},
	{0, "\x80\x03", "a Python pickle"},
	{0, "\x80\x04", "a Python pickle"},
	{0, "\x80\x05", "a Python pickle"},
}

// sniffed is how many bytes of a file sniff wants to see.
const sniffed = 512

// sniff says what a file that is not ONNX seems to be from its first bytes and
// its size, "" if it cannot tell.
func sniff(head []byte, size int64) string {
	for _, s := range signatures {
		if len(head) >= s.at+len(s.magic) && string(head[s.at:s.at+len(s.magic)]) == s.magic {
			return s.what
		}
	}
	if len(head) > 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) < uint64(size) {
		return "a safetensors file: weights without the network"
	}
	switch trimmed := bytes.ToLower(bytes.TrimSpace(head)); {
	case bytes.HasPrefix(trimmed, []byte("<!doctype html")), bytes.HasPrefix(trimmed, []byte("<html")):
		return "a web page"
	case bytes.HasPrefix(trimmed, []byte("{")) && isText(head):
		return "JSON text"
	case isText(head):
		return "text"
	}
	return ""
}

// isText tells whether b reads as UTF-8 without control characters; the last
// rune may be cut.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return len(b) < utf8.UTFMax && !utf8.FullRune(b)
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return false
		}
		b = b[size:]
	}
	return true
}
