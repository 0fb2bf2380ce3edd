# Watchfloor. `make help` lists the targets.
SHELL := /bin/bash
MODULES := . ./broker ./consumers ./producers ./proto
PACKAGES := ./... ./broker/... ./consumers/... ./producers/... ./proto/...
BIN := bin/watchfloor
CONSOLE := consumers/console
BUF := proto/node_modules/.bin/buf
TOOL = @mkdir -p bin && GOWORK=off go build -modfile=tools.mod -o bin/$(1) $(2)
FUZZTIME ?= 30s
ARGS ?=

# Tests read the corpus when it lies beside the checkout; CI fails without it.
ifneq ($(wildcard ../shared/data),)
export WATCHFLOOR_CORPUS ?= $(abspath ../shared/data)
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.PHONY: run
run: build ## start everything, embedded, with the exercise live in the browser (ARGS="--speed 120")
	exec $(BIN) demo $(ARGS)

.PHONY: build
build: console ## build bin/watchfloor with the console embedded
	@mkdir -p bin
	go build -o $(BIN) .

.PHONY: console
console: $(CONSOLE)/dist/index.html ## build the analyst's page into the embed folder

$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package.json $(CONSOLE)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed to build the page: install Node.js 20 or later"; exit 1; }
	cd $(CONSOLE) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(CONSOLE)/dist/index.html: $(CONSOLE)/node_modules/.package-lock.json $(shell find $(CONSOLE)/src $(CONSOLE)/build.mjs $(CONSOLE)/*.json -type f 2>/dev/null)
	cd $(CONSOLE) && npm run --silent build
	@touch $@

.PHONY: browser
browser: ## make sure that a headless browser for the page's test is there
	@deploy/ensure-browser.sh

.PHONY: test
test: console browser ## run every test of every module
	go test -timeout 20m $(PACKAGES)

.PHONY: race
race: console browser ## run every test under the race detector
	go test -race -timeout 40m $(PACKAGES)

.PHONY: check
check: check-format check-modules check-vet check-proto check-page ## formatting, modules alone, vet, staticcheck, generated code, schema, page types

.PHONY: check-format
check-format:
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted (run gofmt -w):"; echo "$$out"; exit 1; fi

# The workspace hides a missing require: each module is built and vetted alone.
.PHONY: check-modules
check-modules:
	@for m in $(MODULES); do echo "module $$m"; (cd $$m && GOWORK=off go mod tidy -diff && GOWORK=off go build ./... && GOWORK=off go vet ./...) || exit 1; done

.PHONY: check-vet
check-vet:
	go vet $(PACKAGES)
	$(call TOOL,staticcheck,honnef.co/go/tools/cmd/staticcheck)
	bin/staticcheck $(PACKAGES)

.PHONY: check-proto
check-proto: $(BUF)
	cd proto && $(CURDIR)/$(BUF) lint
	cd proto && $(CURDIR)/$(BUF) breaking --against baseline.binpb
	@$(MAKE) --no-print-directory gen
	@git diff --exit-code -- '*.pb.go' || { echo "generated code is not what the schema says: run make gen and commit"; exit 1; }

.PHONY: check-page
check-page: $(CONSOLE)/node_modules/.package-lock.json
	cd $(CONSOLE) && npm run --silent check

$(BUF): proto/package.json proto/package-lock.json
	cd proto && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: gen
gen: $(BUF) ## regenerate the protobuf code
	$(call TOOL,protoc-gen-go,google.golang.org/protobuf/cmd/protoc-gen-go)
	cd proto && PATH="$(CURDIR)/bin:$$PATH" $(CURDIR)/$(BUF) generate

.PHONY: release-schema
release-schema: $(BUF) ## make the schema as it is the one that changes are checked against
	cd proto && $(CURDIR)/$(BUF) build -o baseline.binpb

.PHONY: prove
prove: build ## prove the shipped policy, and try every call of every principal against a broker of its own (ARGS="--sample 60")
	$(BIN) policy prove
	$(BIN) policy prove --live --apart --brief $(ARGS)

.PHONY: proof
proof: build ## every claim of docs/threat-model.md, tried, with its figures (half an hour; ONLY="apart cuts" APART=60 CUTS=50 FUZZTIME=5s)
	@APART="$(APART)" CUTS="$(CUTS)" SEED="$(SEED)" FUZZTIME="$(if $(filter command line environment,$(origin FUZZTIME)),$(FUZZTIME),10s)" ONLY="$(ONLY)" deploy/proof.sh

.PHONY: noninterference
noninterference: ## run pairs of worlds, with and without intelligence traffic, and compare all that the low side gets (SECONDS=120, SEED=7 repeats one)
	@out=$$(mktemp) && trap 'rm -f "$$out"' EXIT && \
	WATCHFLOOR_TWINS_SECONDS=$(or $(SECONDS),120) WATCHFLOOR_TWINS_SEED=$(SEED) WATCHFLOOR_TWINS_RESULT="$$out" \
	go test -count=1 -timeout 0 -v -run '^TestNonInterference$$' ./internal/twins && cat "$$out"

CUTS ?= 200
SEED ?=

.PHONY: powercut
powercut: ## cut the power of a broker under load at every stage of its work; needs root and /dev/fuse (CUTS=200 SEED=1)
	@mkdir -p bin
	@set -o pipefail; CI=true CUTS=$(CUTS) SEED=$(SEED) go test -count=1 -timeout 4h -run '^(TestPowerCuts|TestPowerCutWithoutSyncLoses)$$' ./internal/durability -v \
		| tee bin/powercut.log | { grep --line-buffered -vE '^(=== |ok |PASS|powercut )|^ +powercut_test.go:[0-9]+: [0-9.]+(ms|s) ' || true; }
	@grep '^powercut ' bin/powercut.log | tail -1

.PHONY: bench
bench: build ## measure against baselines beside them (ARGS=--json)
	$(BIN) bench $(ARGS)

.PHONY: quality
quality: ## measure the correlation against labelled sets and published figures (ARGS="--misses 10")
	go run . quality $(ARGS)

.PHONY: bench-fusion
bench-fusion: ## measure fusion: the engine on one core, the worker, a restore of 1M reports (ARGS="--live 10000,5000000")
	go run . bench --only engine,commit,restore --reports 1000000 $(ARGS)

.PHONY: faults
faults: ## kill, fill, stall and break the disk of a broker under load, the long form
	WATCHFLOOR_FAULTS=long go test -count=1 -timeout 30m -v -run 'Fault|Kill|Disk|Reserve|Sync|Clock|Slow|Flood' ./internal/durability | grep -v '^=== '

.PHONY: fuzz
fuzz: ## fuzz every parser that meets bytes from outside, FUZZTIME each
	@deploy/fuzz.sh $(FUZZTIME)

.PHONY: sync
sync: ## bring the requirements of the five modules in line
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy) || exit 1; done
	go work sync

.PHONY: clean
clean: ## remove what was built
	rm -rf bin $(CONSOLE)/dist/*
