# Cortex: `make demo` shows it at work, `make test` tests it. Needs Python 3.10+, git and make; no compiler.
PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := .venv-$(VERSION)
BIN := $(VENV)/bin
TESTS ?= tests
# Two processes: what waits for a disk or a daemon leaves a core free. JOBS=0 runs the tests in one.
JOBS ?= 2

.PHONY: demo test check lint types layers bench nightly clean help

help:  ## list what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(BIN)/python:
	@test -n "$(VERSION)" || { echo "make: '$(PYTHON)' does not run; name a Python 3.10 or newer with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "make: Python 3.10 or newer is needed, $(PYTHON) is $(VERSION); name another with PYTHON=…" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.training: pyproject.toml | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[training]'
	@touch $@

demo: $(VENV)/.base  ## watch Cortex learn, warn and recall; REPO=<path or URL> for another repository
	@$(BIN)/cortex demo $(if $(REPO),--repo "$(REPO)")

test: $(VENV)/.dev  ## run the tests; PYTHON=python3.12 for another Python
	$(BIN)/python -m pytest $(TESTS) -m "not nightly" -n $(JOBS) --dist worksteal

check: lint types layers $(VENV)/.dev  ## lint, types, layers, and the tests with a coverage floor
	$(BIN)/python -m pytest $(TESTS) -m "not nightly" -n $(JOBS) --dist worksteal --cov=cortex --cov-report=term:skip-covered --cov-fail-under=85

lint: $(VENV)/.dev  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy --strict, over the package by its name
	@mkdir -p build/types && ln -sfn ../.. build/types/cortex
	MYPYPATH=build/types $(BIN)/python -m mypy --strict -p cortex --exclude '^build/types/cortex/(build|tests|benchmarks|training|\.venv)'

layers: $(VENV)/.dev  ## imports run down only
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## speed, memory and quality; writes what docs/benchmarks.md quotes
	$(BIN)/python benchmarks/run.py

nightly: $(VENV)/.dev $(VENV)/.training  ## the long versions of the tests, and the training's
	$(BIN)/python -m pytest $(TESTS) -m nightly

clean:  ## remove what was built here
	rm -rf .venv-* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
