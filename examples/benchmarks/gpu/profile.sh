#!/usr/bin/env bash
# Where the time goes, once the answers are right: profile.sh OUT [EXPRESSION], behind run.sh. The
# expression picks measurements by the names that run.sh printed; a convolution of VGG16 with
# updates of 10x10 by all arithmetics if nothing is said. OUT/profile.txt has what Nsight Compute
# says of their kernels, OUT/sanitizer.txt what compute-sanitizer says of every kernel's cases.
# SANITIZE=racecheck looks for races instead of accesses out of bounds, SANITIZE= for neither.
set -uo pipefail
(($# >= 1)) || { echo "profile.sh: name the folder for what comes out" >&2; exit 2; }
source "$(dirname "$0")/common.sh" "$1"
only=${2:-'512 -> 512, 10x10 of 28x28'}
status=0

tool=${SANITIZE-memcheck}
if [[ $tool ]]; then
	heading "compute-sanitizer, $tool"
	timeout -k 5 200 compute-sanitizer --tool "$tool" --target-processes all \
		./check -parts kernels,networks -patience 100s -budget 170s >"$out/sanitizer.txt" 2>&1 || status=1
	grep -E '^=========|passed' "$out/sanitizer.txt" | sort | uniq -c | sort -rn | head -20
fi

heading "ncu, $only"
# Behind the base pass and the batches that warm up; the clocks are left as they are.
timeout -k 5 300 ncu --clock-control none --target-processes all --set full --kernel-name-base function -k 'regex:^conv|^pool|^place|^binary' \
	--launch-skip 4 --launch-count 6 ./check -parts rates -only "$only" -patience 280s -budget 280s >"$out/profile.txt" 2>&1 || status=1
grep -E '^  [a-z_0-9]+ |Duration|Compute \(SM\) Throughput|Memory Throughput +%|Registers Per|Achieved Occ|Bank|OPT' "$out/profile.txt" | head -80
heading "done, status $status"
exit $status
