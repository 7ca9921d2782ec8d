#!/usr/bin/env bash
# Compiles the kernels to PTX, into the file named, kernels.ptx by default. clang 19
# alone does it, without CUDA; its output repeats to the byte.
set -euo pipefail
out=${1:-kernels.ptx}
cd "$(dirname "$0")"
[[ $out == /* || $# == 0 ]] || out=$OLDPWD/$out
clang-19 -x cuda -std=c++20 --cuda-device-only --cuda-gpu-arch=sm_80 -nocudainc -nocudalib \
	-O3 -Wall -Wextra -Wno-unused-parameter -S -Xclang -target-feature -Xclang +ptx78 -o "$out" kernels.cu
