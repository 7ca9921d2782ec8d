#!/usr/bin/env bash
# The evidence, by one command on a machine with a GPU: run.sh OUT. Correctness first, then rates,
# then heat maps beside PyTorch's; all of it in BUDGET seconds, 560 if nothing is said, of which
# what did not fit is named. OUT then has
#
#	log.txt       all that was printed
#	machine.txt   the machine, and what the assembler says of every kernel
#	check.json    every kernel, from its twin and from the definition
#	rates.json    what kernels, copies and launches take
#	results.json  answers, times, memory, and EXPLAIN ANALYZE of every layer
#	tables.md     the tables of these
#
# The status is 0 if nothing failed and no answer is off. Variables for a rehearsal: PYTHON,
# DEVICE, TORCH, NETWORKS, SIDE, STRIDE, RUNS, STEP, POSITIONS, CHECK, RATES, PATIENCE, WORK.
set -uo pipefail
(($# == 1)) || { echo "run.sh: name the folder for what comes out" >&2; exit 2; }
source "$(dirname "$0")/common.sh" "$1"
exec > >(tee "$out/log.txt") 2>&1
budget=${BUDGET:-560}
networks=${NETWORKS:-vgg16 resnet18 inception_v3 resnet50 densenet121 googlenet mobilenet_v2 mobilenet_v3_large efficientnet_b0 shufflenet_v2_x1_0 squeezenet1_1 mnasnet1_0}
status=0
left() { echo $((budget - SECONDS)); }

heading "the machine"
{
	echo "Occlude: $(cat "$kit/commit")"
	uname -srm
	nproc
	nvidia-smi 2>&1
	"$python" -c 'import torch, torchvision; print("PyTorch", torch.__version__, "torchvision", torchvision.__version__)' 2>&1
	for arch in sm_80 sm_90; do
		command -v ptxas >/dev/null && ptxas -v -arch=$arch -o /dev/null "$kit/kernels.ptx" 2>&1 | grep -Ev 'bytes gmem|^$' | sed "s/^/$arch: /"
	done
} >"$out/machine.txt"
head -4 "$out/machine.txt"
grep -E 'NVIDIA-SMI|MiB /|PyTorch' "$out/machine.txt"

# On the processor, while the GPU is checked.
"$python" prepare.py networks $networks ${SIDE:+--side "$SIDE"} >prepare.txt 2>&1 &
preparing=$!

heading "every kernel, from its twin and from its definition"
timeout -k 5 $((${CHECK:-90} + 60)) ./check -parts load,functions,kernels,networks -budget "${CHECK:-90}s" \
	${PATIENCE:+-patience "$PATIENCE"} -json "$out/check.json" || status=1

heading "networks"
wait $preparing || status=1
cat prepare.txt

heading "rates"
timeout -k 5 $((${RATES:-75} + 60)) ./check -parts rates -batch "${POSITIONS:-256}" -budget "${RATES:-75}s" \
	${PATIENCE:+-patience "$PATIENCE"} -json "$out/rates.json" || status=1

heading "heat maps"
timeout -k 5 $(($(left) + 10)) ./gpu -dir networks -occlude ./occlude -python "$python" -naive naive.py -device "$device" \
	${TORCH:+-torch "$TORCH"} ${STRIDE:+-stride "$STRIDE"} ${RUNS:+-runs "$RUNS"} ${STEP:+-step "$STEP"} -networks "$networks" -budget "$(left)s" -out "$out" || status=1
heading "done, status $status"
exit $status
