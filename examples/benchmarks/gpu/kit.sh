#!/usr/bin/env bash
# Builds the folder that is carried to a machine with a GPU, where there is no Go: kit.sh DIR.
# `make gpu-kit` calls it. Binaries are packed; run.sh unpacks them.
set -euo pipefail
(($# == 1)) || { echo "kit.sh: name the folder to build" >&2; exit 2; }
mkdir -p "$1"
kit=$(cd "$1" && pwd)
cd "$(dirname "$0")/../../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

go run ./operators/gpu/cuda/toolkit -out "$scratch/cuda"
export CGO_CFLAGS=-I$scratch/cuda CGO_LDFLAGS=-L$scratch/cuda
flags=(-trimpath -ldflags '-s -w')
CGO_ENABLED=1 go build "${flags[@]}" -tags cuda -o "$scratch/occlude" .
CGO_ENABLED=1 go build "${flags[@]}" -tags cuda -o "$scratch/check" ./operators/gpu/cuda/check
CGO_ENABLED=0 go build "${flags[@]}" -o "$scratch/gpu" ./examples/benchmarks/gpu
for program in occlude check gpu; do
	gzip -9 -c "$scratch/$program" >"$kit/$program.gz"
done
cp operators/gpu/kernels/kernels.ptx examples/benchmarks/networks.py \
	examples/benchmarks/gpu/{prepare.py,naive.py,run.sh,profile.sh,common.sh} "$kit"
git log -1 --format='%h %s' >"$kit/commit" 2>/dev/null || echo unknown >"$kit/commit"

if command -v objdump >/dev/null; then
	echo "needs $(objdump -T "$scratch/occlude" "$scratch/check" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1) or later"
fi
size=$(du -sb "$kit" | cut -f1)
echo "$kit: $((size >> 20)) MiB"
((size < 40 << 20)) || { echo "kit.sh: that is more than 40 MiB" >&2; exit 1; }
