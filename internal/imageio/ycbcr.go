package imageio

import "image"

// ycbcr converts lossy pictures to red, green and blue as libjpeg and libwebp
// do, which is what the people who trained a network saw. Package image's own
// conversion differs from both in two ways that a network can notice: it
// repeats the coarse colour samples instead of interpolating them, and it takes
// WebP's range of 16..235 for JPEG's 0..255.
type ycbcr struct {
	*image.YCbCr
	upsampler
	cb, cr []uint8 // the samples of a row's pixels
	video  bool
}

func newYCbCr(p *image.YCbCr, video bool) *ycbcr {
	width := p.Rect.Dx()
	return &ycbcr{YCbCr: p, upsampler: newUpsampler(p), cb: make([]uint8, width), cr: make([]uint8, width), video: video}
}

// to goes to a row, of which at then gives the pixels.
func (p *ycbcr) to(y int) {
	p.row(p.cb, p.Cb, y-p.Rect.Min.Y)
	p.row(p.cr, p.Cr, y-p.Rect.Min.Y)
}

func (p *ycbcr) at(x, y int) (r, g, b uint8) {
	luma := p.Y[p.YOffset(x, y)]
	i := x - p.Rect.Min.X
	if p.video {
		return fromVideo(luma, p.cb[i], p.cr[i])
	}
	return fromJFIF(luma, p.cb[i], p.cr[i])
}

// fromJFIF is ITU-R BT.601 with the full range, in 16-bit fixed point:
// 1.402, 0.344136, 0.714136 and 1.772 times 65536.
func fromJFIF(y, cb, cr uint8) (r, g, b uint8) {
	const half = 1 << 15
	l, u, v := int(y), int(cb)-128, int(cr)-128
	return clamp8(l + (91881*v+half)>>16),
		clamp8(l + (-22554*u-46802*v+half)>>16),
		clamp8(l + (116130*u+half)>>16)
}

// fromVideo is BT.601 with the range 16..235 for luma and 16..240 for colour.
// Factors are 255/219 and 255/224 times those above, in 14 bits; libwebp drops
// 8 of the bits of each product, so that its results are met exactly.
func fromVideo(y, cb, cr uint8) (r, g, b uint8) {
	l := int(y) * 19077 >> 8
	u, v := int(cb), int(cr)
	return clamp8((l + v*26149>>8 - 14234) >> 6),
		clamp8((l - u*6419>>8 - v*13320>>8 + 8708) >> 6),
		clamp8((l + u*33050>>8 - 17685) >> 6)
}

func clamp8(v int) uint8 { return uint8(max(0, min(v, 255))) }

// upsampler gives every pixel its colour sample. Where samples are half as many
// along an axis, a pixel lies at a quarter of the way between two of them and
// gets three parts of the nearer and one of the farther. libjpeg rounds pixels
// at even and odd places in different directions, so that no drift builds up.
type upsampler struct {
	picture      *image.YCbCr
	across, down int   // pixels of a sample; 0 across for one that is repeated
	height       int   // samples of a column
	sums         []int // a row of samples, times 4 if rows were mixed
}

func newUpsampler(p *image.YCbCr) upsampler {
	u := upsampler{picture: p, across: 1, down: 1}
	switch p.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		u.across = 2
	case image.YCbCrSubsampleRatio420:
		u.across, u.down = 2, 2
	case image.YCbCrSubsampleRatio440:
		u.down = 2
	default:
		u.across = 0
		return u
	}
	width := (p.Rect.Dx() + u.across - 1) / u.across
	u.height = (p.Rect.Dy() + u.down - 1) / u.down
	u.sums = make([]int, width)
	if u.across == 2 && width <= 2 {
		u.across = 0 // too narrow to interpolate, as libjpeg sees it
	}
	return u
}

// row writes the samples of row y, counted from the picture's first.
func (u *upsampler) row(out, plane []uint8, y int) {
	p := u.picture
	if u.across == 0 { // every pixel gets the sample it was counted into
		for x := range out {
			out[x] = plane[p.COffset(p.Rect.Min.X+x, p.Rect.Min.Y+y)]
		}
		return
	}
	near, far := y, y
	if u.down == 2 {
		near = y / 2
		far = max(0, min(near+2*(y%2)-1, u.height-1))
	}
	start := p.COffset(p.Rect.Min.X, p.Rect.Min.Y)
	for x := range u.sums {
		u.sums[x] = int(plane[start+near*p.CStride+x])
		if u.down == 2 {
			u.sums[x] = 3*u.sums[x] + int(plane[start+far*p.CStride+x])
		}
	}
	mixAcross(out, u.sums, u.across, u.down, y)
}

func mixAcross(row []uint8, sums []int, across, down, y int) {
	for x := range row {
		switch {
		case across == 2 && down == 2:
			row[x] = uint8((neighbours(sums, x) + 8 - x%2) >> 4)
		case across == 2:
			row[x] = uint8((neighbours(sums, x) + 1 + x%2) >> 2)
		case down == 2:
			row[x] = uint8((sums[x] + 1 + y%2) >> 2)
		default:
			row[x] = uint8(sums[x])
		}
	}
}

func neighbours(sums []int, x int) int {
	near := x / 2
	far := max(0, min(near+2*(x%2)-1, len(sums)-1))
	return 3*sums[near] + sums[far]
}
