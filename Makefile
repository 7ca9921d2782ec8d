# The commands of every day. Each is one that you could type yourself; .ci/run holds all that a change must pass.

.DEFAULT_GOAL := help
.PHONY: help build test race lint vulnerabilities fuzz metamorphic bench generate ptx cuda gpu-kit quickstart docs ci

FUZZ    ?= FuzzParse
PACKAGE ?= ./lang
TIME    ?= 30s
CUDA    ?= /tmp/occlude-cuda-$(shell id -u)
KIT     ?= gpu-kit

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## make the static binary ./occlude
	CGO_ENABLED=0 go build -o occlude .

test: ## run all tests
	go test ./...

race: ## run the tests under the race detector (needs gcc)
	go test -race -short ./...

lint: ## look for what is suspicious, unused or badly formatted
	gofmt -l .
	go vet ./...
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

vulnerabilities: ## look for calls of what is known to be vulnerable today
	go run ./.ci/vulncheck latest

fuzz: ## fuzz one target: make fuzz PACKAGE=./internal/onnx FUZZ=FuzzDecode TIME=1m
	go test -run '^$$' -fuzz '^$(FUZZ)$$' -fuzztime $(TIME) $(PACKAGE)

metamorphic: ## random models and queries, asked in ways that must agree: make metamorphic TIME=10m
	OCCLUDE_META=$(TIME) go test ./internal/metamorphic -v -timeout 0

bench: ## time the kernels of the CPU
	go test -run '^$$' -bench . -benchtime 200ms ./operators/cpu/...

generate: ## write the assembly again from its generators
	cd operators/cpu/simd/gen && go run . -out ..

ptx: ## compile the GPU's kernels (needs clang-19)
	operators/gpu/kernels/compile.sh

cuda: ## make the binary ./occlude with CUDA, which runs without, too (needs gcc)
	go run ./operators/gpu/cuda/toolkit -out "$(CUDA)"
	CGO_CFLAGS="-I$(CUDA)" CGO_LDFLAGS="-L$(CUDA)" go build -tags cuda -o occlude .

gpu-kit: ## make the folder that is carried to a machine with a GPU (needs gcc)
	examples/benchmarks/gpu/kit.sh "$(KIT)"

quickstart: ## write quickstart.png and quickstart.npy
	go run . -f examples/quickstart.oql

docs: ## bring what docs/ takes from the program up to date
	go test ./lang -run '^TestReference$$' -update

ci: ## all that a change must pass, as on a fresh machine
	.ci/run
