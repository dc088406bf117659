# Pointsman. `make demo` and `make test` do all their own set-up on a fresh machine.
SHELL := /bin/bash
.DEFAULT_GOAL := help
NODE_MODULES := node_modules/.package-lock.json

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-15s %s\n", $$1, $$2}' Makefile

.PHONY: preflight
preflight:
	@bash tools/setup/preflight.sh

$(NODE_MODULES): package-lock.json | preflight
	@echo "setup: npm packages (npm ci)" >&2
	@npm ci --no-audit --no-fund --loglevel=error

.PHONY: build
build: $(NODE_MODULES) ## compile apps, libraries and tools into dist/
	@echo "setup: build" >&2
	@npm run --silent build

.PHONY: setup-demo setup-test
setup-demo: build
	@node dist/tools/setup/main.js demo
setup-test: build
	@node dist/tools/setup/main.js test

.PHONY: demo
demo: setup-demo ## the main job on real Kafka: an IDC is killed, the traffic moves, and comes home (ARGS="--non-interactive --json")
	@node dist/tools/demo/main.js $(ARGS)

.PHONY: test test-unit
test: setup-test ## all tests: unit, integration on real servers, e2e on real Kafka
	@node dist/tools/test/main.js $(ARGS)
test-unit: build ## the fast ones
	@node dist/tools/test/main.js unit

.PHONY: check
check: $(NODE_MODULES) ## format, lint, types, borders, dead code, proto, generated files
	@npm run --silent check

.PHONY: bench
bench: setup-test ## figures as ratios against floors measured in the same run (ARGS="--json")
	@node dist/tools/bench/main.js $(ARGS)

.PHONY: soak
soak: setup-demo ## an hour of the demo's load, memory slope (ARGS="--minutes 60")
	@node dist/tools/soak/main.js $(ARGS)

.PHONY: soak-switchover
soak-switchover: setup-test ## ten planned switches there and back under load, and leaders killed round every step; every record counted
	@POINTSMAN_SWITCH_ROUNDS=$(or $(ROUNDS),10) npx --no-install vitest run --project e2e test/e2e/switchover.spec.ts test/e2e/switchover-crash.spec.ts

.PHONY: lab
lab: setup-test ## real clusters for people at a shell (ARGS="up --help")
	@node dist/tools/lab/main.js $(or $(ARGS),up)

.PHONY: clean
clean: ## remove what was built (not the cache)
	rm -rf dist .runs *.tsbuildinfo
