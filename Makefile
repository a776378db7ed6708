# `make demo` (one method; `demo-all`: all five) and `make test` set up what they need and can be run again at any time.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-all test setup lint format bench

demo: setup
	@$(BIN)/wsss demo

demo-all: setup
	@$(BIN)/wsss demo --all

test: setup lint
	@OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=2 $(BIN)/pytest -n 2

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup
	@$(BIN)/python -m benchmarks.run

setup: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@echo "setting up .venv (about 3 minutes the first time, 5.5 GB)"
	@$(PYTHON) -c 'import sys; sys.exit("python >= 3.11 is needed" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --progress-bar on --disable-pip-version-check -q -c constraints.txt -e '.[dev]'
	@touch $@
