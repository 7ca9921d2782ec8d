package imageio

import "image"

// ycbcr converts lossy pictures to red, green and blue as libjpeg and libwebp
// do, which is what the people who trained a network saw. Package image's own
// conversion differs from both in two ways that a network can notice: it
// repeats the coarse colour samples instead of interpolating them, and it takes
// WebP's range of 16..235 for JPEG's 0..255.
type ycbcr struct {
	*image.YCbCr
	cb, cr []uint8 // as many samples as pixels
	width  int
	video  bool
}

func newYCbCr(p *image.YCbCr, video bool) ycbcr {
	return ycbcr{
		YCbCr: p,
		cb:    upsample(p, p.Cb),
		cr:    upsample(p, p.Cr),
		width: p.Rect.Dx(),
		video: video,
	}
}

func (p ycbcr) at(x, y int) (r, g, b uint8) {
	luma := p.Y[p.YOffset(x, y)]
	i := (y-p.Rect.Min.Y)*p.width + x - p.Rect.Min.X
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

// upsample gives every pixel its colour sample. Where samples are half as many
// along an axis, a pixel lies at a quarter of the way between two of them and
// gets three parts of the nearer and one of the farther. libjpeg rounds pixels
// at even and odd places in different directions, so that no drift builds up.
func upsample(p *image.YCbCr, plane []uint8) []uint8 {
	w, h := p.Rect.Dx(), p.Rect.Dy()
	across, down := 1, 1
	switch p.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		across = 2
	case image.YCbCrSubsampleRatio420:
		across, down = 2, 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	default:
		return repeat(p, plane)
	}
	cw, ch := (w+across-1)/across, (h+down-1)/down
	if across == 2 && cw <= 2 {
		return repeat(p, plane) // too narrow to interpolate, as libjpeg sees it
	}
	out := make([]uint8, w*h)
	start := p.COffset(p.Rect.Min.X, p.Rect.Min.Y)
	sums := make([]int, cw) // a row of samples, times 4 if rows were mixed
	for y := range h {
		near, far := y, y
		if down == 2 {
			near = y / 2
			far = max(0, min(near+2*(y%2)-1, ch-1))
		}
		for x := range sums {
			sums[x] = int(plane[start+near*p.CStride+x])
			if down == 2 {
				sums[x] = 3*sums[x] + int(plane[start+far*p.CStride+x])
			}
		}
		mixAcross(out[y*w:(y+1)*w], sums, across, down, y)
	}
	return out
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

// repeat gives every pixel the sample it was counted into.
func repeat(p *image.YCbCr, plane []uint8) []uint8 {
	w, h := p.Rect.Dx(), p.Rect.Dy()
	out := make([]uint8, w*h)
	for y := range h {
		for x := range w {
			out[y*w+x] = plane[p.COffset(p.Rect.Min.X+x, p.Rect.Min.Y+y)]
		}
	}
	return out
}
