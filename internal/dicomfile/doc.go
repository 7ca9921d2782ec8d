// Package dicomfile finds the picture in a DICOM file: how its numbers are
// stored, what they mean, and where the bytes of a frame are.
//
//	file ──Parse──▶ File ──Frame(n)──▶ bytes of samples, or a JPEG stream
//	                 │
//	                 ├── Picture: size, samples, bits, sign, photometric interpretation
//	                 ├── Scaling(n): slope, intercept and window of frame n, or tables
//	                 └── Palette
//
// What is made of them (windows, gray values, colours) is package imageio's.
//
// # Who does what
//
// A data set is a list of elements (PS3.5 7.1): tag, representation, length,
// value; some values are lists of data sets again. Which values stand where is
// found by the walker of this package, and a dozen of them are copied into a
// small DICOM file of their own, which github.com/suyashkumar/dicom reads. The
// library knows the representations and the dictionaries of tags and of
// transfer syntaxes. It is not given the file itself, for three reasons that
// were measured with v1.1.0: it descends into nested sequences by recursion, so
// that 120 MB of them end the process by a stack overflow that nobody can
// catch; it makes room for as many bytes as a length field says, 4 GB for a
// file of a few hundred bytes; and it takes a file that ends in the middle of
// an element for complete.
//
// The walker does not recurse, copies nothing, and looks at no more than
// maxElements elements; every length is held against the bytes that are left
// before it is believed. Frame returns a part of the file wherever the file has
// the frame in one piece.
//
// # What is read
//
// Files with and without the preamble of 128 bytes, and without the meta
// information too, when they begin with group 0008. Implicit and explicit
// representations, little and big endian, deflated up to maxInflated bytes.
// Pixels of 8 and 16 bits, uncompressed, by runs (RLE), or in JPEG Baseline and
// Extended, which is left to package jpeg.
// Other transfer syntaxes are refused by their name.
//
// The slope, the intercept and the window of a frame stand in the data set
// itself, or, in files of the enhanced kinds, in functional groups: those of
// the frame first, then the shared ones (PS3.3 C.7.6.16).
package dicomfile
