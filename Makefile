# The targets that people and CI use. Meson and ninja do the building; scripts/ holds whatever needs more than a line.
# Everything made lies in build/ (and build-asan/, build-tsan/, build-clang/).

SHELL := /bin/bash
.DEFAULT_GOAL := build
JOBS ?= $(shell nproc)
prefix ?= /usr/local

.PHONY: help build run pipeline test test-fast test-deep test-deploy fuzz chaos chaos-selftest lint format bench asan docs install clean

help: ## what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the program, at build/websentry
	@scripts/setup build
	@scripts/build

run: ## the program on local demo sites, or on SITES=https://a,https://b, with its page
	@scripts/setup build run
	@scripts/build
	@scripts/demo

pipeline: ## producer, real Kafka, real PostgreSQL, consumer; rows to watch; Ctrl-C ends all of it
	@scripts/setup build run test
	@scripts/build
	@scripts/pipeline

test: ## all tests: unit, component, end to end on real servers
	@scripts/setup build run test
	@scripts/test all

test-fast: ## unit and component tests, no server, under 30 s
	@scripts/setup build test
	@scripts/test fast

test-deep: ## sanitizers, valgrind, the other compiler, long variants
	@scripts/setup build run test
	@scripts/test deep

test-deploy: ## deploy/ on a real container engine (about two minutes)
	@scripts/setup build run test
	@deploy/check.sh

fuzz: ## look for inputs that break a parser, SECONDS=60 for each (10): what breaks one is kept in build-fuzz/findings/
	@scripts/setup build test
	@scripts/fuzz $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS))

chaos: ## attack the running pipeline and prove that nothing is lost: DURATION=45m SEED=7 RATE=1200
	@scripts/setup build run test
	@scripts/test build
	@build/venv/bin/python tests/chaos/run.py $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED)) $(if $(RATE),--rate $(RATE))

chaos-selftest: ## build each planted bug and show that the oracle of `make chaos` finds it (half an hour): BUGS="a b"
	@scripts/setup build run test
	@scripts/test build
	@build/venv/bin/python tests/chaos/selftest.py $(BUGS)

lint: ## format, clang-tidy, scripts, workflows, Python, file sizes, includes
	@scripts/setup build test lint
	@scripts/lint

format: ## format C and Python as lint wants them
	@scripts/setup build test lint
	@scripts/lint --fix

bench: ## what a check costs: the first section of docs/benchmarks.md
	@scripts/setup build run test bench
	@scripts/build
	@bench/run

asan: ## the program with address and undefined-behaviour sanitizers, at build-asan/websentry
	@scripts/setup build
	@BUILD=build-asan scripts/build -Db_sanitize=address,undefined -Db_lundef=false

docs: ## what is made from the tables of settings and metrics: docs/configuration.md, docs/metrics.md, docs/websentry.1
	@scripts/setup build
	@scripts/build
	@scripts/docs

install: ## into $(prefix), honouring DESTDIR
	@scripts/setup build
	@scripts/build
	@meson configure build -Dprefix="$(prefix)" >/dev/null
	@ninja -C build installed >build/install.log || { cat build/install.log >&2; exit 1; }
	@meson install -C build --no-rebuild --quiet $(if $(DESTDIR),--destdir "$(DESTDIR)")

clean: ## remove what was built; Python packages, tools and Kafka jars stay
	@for dir in build-*/; do [ ! -d "$$dir" ] || rm -rf "$$dir"; done
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name venv ! -name tools ! -name 'kafka-libs*' -exec rm -rf {} +
