# The front door. Everything happens in .venv, made by uv exactly as uv.lock says.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

BIN := .venv/bin
ARGS ?=
LOCKED := pyproject.toml uv.lock
CATALOGS := $(wildcard src/stafeta/locale/*/LC_MESSAGES/*.po)
BUILT_FROM := hatch_build.py tools/catalogs.py $(CATALOGS)
# These walk every page of a running site: they are tests, and no part of the check before a commit.
WALKS := test_purity.py test_canary.py

.PHONY: help run demo test check soak mutants screens wheel messages format clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: .venv/.ready ## Štafeta at http://localhost:8000; Ctrl-C ends it (ARGS="--port 9000")
	@exec $(BIN)/stafeta run $(ARGS)

demo: .venv/.ready ## the whole story on a fast clock (ARGS="--day 10s", ARGS=--headless)
	@exec $(BIN)/stafeta demo $(ARGS)

test: .venv/.ready-to-test ## all tests (ARGS="tests/core -x")
	@tools/system_packages.sh
	$(BIN)/pytest $(ARGS)

check: .venv/.ready-to-test ## style, types, floors, house rules, translations, documents
	@tools/system_packages.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q -p no:cacheprovider tests/contracts $(WALKS:%=--ignore=tests/contracts/%)

soak: .venv/.ready-to-test ## an hour of force: processes killed under thousands of switches, then lives by the ten thousand
	$(BIN)/pytest -q -s -m soak $(ARGS)
	$(BIN)/stafeta simulate --lives 4000 --years 0.3 --jobs 2
	$(BIN)/stafeta simulate --lives 3000 --years 5 --calm --jobs 2

mutants: .venv/.ready-to-test ## change the core in small ways, and see that its tests notice each (about 15 minutes)
	HYPOTHESIS_PROFILE=mutants $(BIN)/mutmut run --max-children 2
	$(BIN)/python tools/mutants.py

screens: .venv/.ready-to-test ## pictures of every page in build/screens, phone and desktop, light and dark
	@tools/system_packages.sh
	$(BIN)/python -m tests.e2e.screens

wheel: ## a wheel in dist/ that carries the built front end and the translations
	uv=$$(tools/get_uv.sh) && "$$uv" build --wheel

messages: .venv/.ready-to-test ## bring the .po files up to date with the sources
	@tools/system_packages.sh
	$(BIN)/python tools/catalogs.py extract

format: .venv/.ready-to-test ## let ruff format everything
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what can be made again
	rm -rf .venv .tools dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov
	find src -name '*.mo' -delete

# What running needs …
.venv/.ready: $(LOCKED) $(BUILT_FROM)
	uv=$$(tools/get_uv.sh) && "$$uv" sync --quiet --frozen --no-dev --inexact --reinstall-package stafeta
	@touch $@

# … and what developing needs on top.
.venv/.ready-to-test: $(LOCKED) $(BUILT_FROM)
	uv=$$(tools/get_uv.sh) && "$$uv" sync --quiet --frozen --reinstall-package stafeta
	@touch .venv/.ready $@
