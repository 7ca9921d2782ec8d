//go:build amd64 && !noasm

package simd

import "golang.org/x/sys/cpu"

// assembled lists the sets in assembly that this processor can run, the fastest
// first.
func assembled() []*Set {
	var sets []*Set
	if x := cpu.X86; x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ {
		sets = append(sets, avx512)
	}
	if x := cpu.X86; x.HasAVX2 && x.HasFMA {
		sets = append(sets, avx2)
	}
	return sets
}

var avx512 = &Set{
	Name:       "avx512",
	Lanes:      16,
	Rows:       12,
	Panel:      32,
	product:    productAVX512,
	peak:       peakAVX512,
	winograd:   avx512Winograd.loops,
	rows:       rowsAVX512,
	pools:      poolsAVX512,
	departures: departuresAVX512,
	depthwise:  depthwiseAVX512,
}

var avx2 = &Set{
	Name:       "avx2",
	Lanes:      8,
	Rows:       6,
	Panel:      16,
	product:    productAVX2,
	peak:       peakAVX2,
	winograd:   avx2Winograd.loops,
	rows:       rowsAVX2,
	pools:      poolsAVX2,
	departures: departuresAVX2,
	depthwise:  depthwiseAVX2,
}
