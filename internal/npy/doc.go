// Package npy reads and writes NumPy's .npy files.
//
// A .npy file is one array: a magic string, a version, a header that is the
// text of a Python dictionary, and the elements, one after another.
//
//	\x93NUMPY 1 0 | length | {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } | 24 bytes
//
// The engine works on float32 and so does this package: Read widens or rounds
// every number type to float32 and hands back a row-major *tensor.Dense beside
// the Header, which says what the file really held (an image reader must know
// uint8 from float). Integers above 2^24 and doubles are rounded to the nearest
// float32; doubles beyond its range become infinite. Versions 1 to 3, both byte
// orders, C and Fortran order and any shape with at least one element are read,
// rank 0 included. Arrays without elements, strings, objects, records and
// complex numbers are refused: Dense cannot hold the first, and the rest are
// not numbers. Like NumPy, Read leaves what follows the array unread.
//
// Write puts down the bytes that numpy.save would: version 1.0, little endian,
// a header padded to a multiple of 64 bytes with NumPy's room for the first
// dimension to grow.
//
// Dense has ReadNpy and WriteNpy of its own. They are not used because ReadNpy
// takes big-endian numbers for little-endian ones and every boolean for false,
// knows neither Fortran order nor versions 2 and 3, allocates whatever the
// header claims before looking at the data, and panics at a negative dimension;
// WriteNpy does not write the bytes that NumPy would.
//
// Everything read is hostile until checked. Nothing is allocated on the word
// of a header: memory grows with the bytes that are really there, so a lying
// shape costs one chunk and an error that says how many bytes were missing.
package npy
