#!/usr/bin/env bash
# Where the time goes, once the answers are right: profile.sh OUT [EXPRESSION...], behind run.sh.
# Each expression picks a measurement by the name that run.sh printed; if there is none, a
# convolution of VGG16 with updates of 10x10 in float32 and on tensor cores, and two kernels that
# move values. OUT/profile.txt has what Nsight Compute says of their kernels, OUT/sanitizer.txt
# what compute-sanitizer says of every kernel's cases. SANITIZE=racecheck looks for races instead
# of accesses out of bounds, SANITIZE= for neither.
set -uo pipefail
(($# >= 1)) || { echo "profile.sh: name the folder for what comes out" >&2; exit 2; }
source "$(dirname "$0")/common.sh" "$1"
shift
(($# > 0)) || set -- '512 -> 512, 10x10 of 28x28$' '512 -> 512, 10x10 of 28x28, tensor cores 256x128$' '^max pool' '^add'
status=0

tool=${SANITIZE-memcheck}
if [[ $tool ]]; then
	heading "compute-sanitizer, $tool"
	timeout -k 5 200 compute-sanitizer --tool "$tool" --target-processes all \
		./check -parts kernels,networks -patience 100s -budget 170s >"$out/sanitizer.txt" 2>&1 || status=1
	grep -E '^=========|passed' "$out/sanitizer.txt" | sort | uniq -c | sort -rn | head -20
fi

for only; do
	heading "ncu, $only"
	# Behind the base pass and the batches that warm up; the clocks are left as they are.
	timeout -k 5 100 ncu --clock-control none --target-processes all --set full -k 'regex:^(conv|pool|place|binary|affine|activate)' \
		--launch-skip 4 --launch-count 2 ./check -parts rates -only "$only" -patience 90s -budget 90s 2>&1 || status=1
done >"$out/profile.txt"
grep -E '^===|^  [a-z_0-9]+ |Duration|Compute \(SM\) Throughput|Memory Throughput +%|Registers Per|Achieved Occ|Bank|OPT' "$out/profile.txt" | head -80
heading "done, status $status"
exit $status
