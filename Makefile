# Every target builds .venv when it is missing, so any of them works on a fresh checkout.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup skill test lint format bench clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "anyskill needs Python 3.11 or newer; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@# torch first and pinned: what follows then takes the build that is there instead of fetching another.
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Make hands TEXT on through the environment, so that the shell takes nothing in it for its own.
skill:
	@test -n "$$TEXT" || { echo 'Say what the body is to do: make skill TEXT="raise both arms"' >&2; exit 2; }
	@$(MAKE) --no-print-directory setup
	@$(BIN)/anyskill learn "$$TEXT"

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/anyskill bench physics
	$(BIN)/anyskill bench render
	$(BIN)/anyskill bench library

clean:
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
