#!/usr/bin/env bash
# A rehearsal without a GPU: builds the kit, and a driver whose device is the emulator, and runs
# all of run.sh with two small networks. It shows that programs, files and flags fit together; its
# times mean nothing. Needs gcc, clang 19 and a Python with PyTorch, torchvision, NumPy and Pillow
# (PYTHON=/usr/bin/python3 on Debian), and says so where one is missing.
#
#	dryrun.sh [OUT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PYTHON=${PYTHON:-/usr/bin/python3}
for program in gcc clang-19; do
	command -v $program >/dev/null || { echo "dryrun.sh: left out, for there is no $program"; exit 0; }
done
"$PYTHON" -c 'import torch, torchvision, numpy, PIL' 2>/dev/null || { echo "dryrun.sh: left out, for $PYTHON has no PyTorch, torchvision, NumPy or Pillow"; exit 0; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
out=${1:-$scratch/out}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../../.."
"$here/kit.sh" "$scratch/kit"
go run ./operators/gpu/emulator/driver "$scratch/driver"
export LD_LIBRARY_PATH=$scratch/driver WORK=$scratch/work TORCH=cpu
export NETWORKS=${NETWORKS:-"squeezenet1_1 shufflenet_v2_x1_0"} SIDE=${SIDE:-64} STRIDE=${STRIDE:-48} RUNS=1 POSITIONS=1 CHECK=${CHECK:-600} RATES=${RATES:-5} PATIENCE=5m STEP=10m BUDGET=1800
"$scratch/kit/run.sh" "$out"
# A profiler that only runs what it is given.
mkdir "$scratch/bin"
printf '#!/bin/bash\nwhile [[ $1 != ./* ]]; do shift; done\nexec "$@"\n' >"$scratch/bin/ncu"
chmod +x "$scratch/bin/ncu"
PATH=$scratch/bin:$PATH SANITIZE= "$scratch/kit/profile.sh" "$out" '^softmax'
for file in log.txt machine.txt check.json rates.json results.json tables.md profile.txt; do
	[[ -s $out/$file ]] || { echo "dryrun.sh: $file is missing or empty" >&2; exit 1; }
done
if grep -E '"(LeftOut|Failed)"|"(Counted|Exact)": 0,' "$out/results.json"; then
	echo "dryrun.sh: results.json is not complete" >&2
	exit 1
fi
