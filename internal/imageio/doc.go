// Package imageio turns picture files into the numbers that a model takes, and
// makes what occluded patches are filled with.
//
//	file ──Read──▶ Image ──Spec.Fit──▶ pixels (H, W, C) ──Spec.Normalize──▶ model input
//	                                   0..255, RGB           (pixel*scale - mean) / std
//
// The stop in the middle matters: an occlusion is drawn in pixel space, on the
// fitted image, with colours that people name (gray is 128). Only then is it
// normalised, and since Normalize works on each pixel for itself, a plan that
// recomputes one rectangle normalises that rectangle alone and gets the same
// bits. Fit therefore always gives display order, red first, and Normalize
// alone knows about BGR. Blur, Noise and the means work on fitted pixels too.
// Masks (FitMask) go the way of images, but to the nearest pixel.
//
// A picture as float32 takes up to four times the memory that its decoder needs, so
// pixels are converted row by row, while Fit scales them: of a photograph with 100
// million pixels only a model's input is ever there in full. One that EXIF says lies
// on its side is turned first, in bytes. Reading and fitting end with their context.
//
// # Reading
//
// PNG, JPEG, GIF (first frame), BMP, DICOM, TIFF, WebP and NumPy arrays, told
// apart by content; a name says nothing but which frame of a file is meant
// (SplitFrame). Transparent parts show white (black in masks,
// where they mark nothing). Deep pictures keep their precision as fractions of
// 0..255. CMYK is converted without a colour profile. EXIF orientation is
// applied for JPEG, PNG, TIFF and WebP. Arrays are (H, W), (H, W, 1), (H, W, 3),
// (1, H, W) or (3, H, W); where the last axis could be the channels, it is, so
// (3, 3, 3) is (H, W, 3). Their values are pixels as they are, never scaled.
//
// A network has seen what Pillow showed it, so the aim is Pillow's pixels.
// Lossless formats give exactly those. For JPEG and WebP the decoders are Go's,
// but the last step, from coarse colour samples to pixels, is done here as
// libjpeg and libwebp do it: on photograph-like pictures of 600 x 400 the result
// is within 3 of 255 of theirs, 0.04 in the mean, where package image's own
// conversion is up to 41 off, and 4 to 7 in the mean.
//
// DICOM files hold measurements, not grays, and a Window says which of them
// become which gray (window.go). It is applied when a file is read, at the
// file's size and depth, because that is how the pictures that networks are
// trained on are made, and because resizing and clipping do not commute: the
// mean of bone and air is not tissue. A sample has at most 16 bits, so slope,
// window and inversion are computed once for each value that it can have, and
// a mammogram of 20 million pixels is read in 30 ms. Package dicomfile knows
// where in a file everything is.
//
// # Resizing
//
// Fit resizes by Pillow's BILINEAR, which is antialiased: 8-bit pictures come
// out equal to the last bit, deeper ones without any rounding. The resampler is
// the package's own (resample.go): golang.org/x/image/draw knows neither
// float pixels nor Pillow's arithmetic.
//
// # Hostile files
//
// The header is read first, and more than MaxPixels or MaxSide is refused
// before anything is decoded; a file may have MaxFile bytes. The decoders are
// well tested but not ours, and a panic in one becomes an error. The EXIF tag is
// looked up by twenty lines here: github.com/rwcarlsen/goexif follows directory
// links in circles for ever, and copies each tag's value as often as a file
// says, which makes gigabytes of a few kilobytes. Nothing that is wrong with
// metadata keeps a picture from being read.
//
// DICOM files have no header of fixed size; package dicomfile says how it bounds
// what it does. Rows and columns are looked at before pixels are touched.
//
// Not read: DICOM files in other transfer syntaxes than those of dicomfile, with
// segmented palettes, or with 16 bits for a colour; animated WebP, TIFF with
// CMYK, YCbCr or float samples, compressed (RLE) BMP, JPEG with 12 bits or with
// four channels but no Adobe marker. Each is refused with its decoder's reason.
package imageio
