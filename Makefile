# Everything lives in .venv (installed) and .state (made by runs); `make clean` removes both.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCKED := $(PIP) install --quiet --require-hashes --only-binary :all:
RUNTIME := .venv/.runtime
DEV := .venv/.dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format types check claude bench docs lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' Makefile

demo: $(RUNTIME) ## the whole story on a toy repository: no key, no network once it is set up
	@STRETTO_STATE_DIR="$(CURDIR)/.state" $(BIN)/stretto demo

test: $(DEV) ## every test
	@tmp=$$(mktemp -d) && chmod 755 "$$tmp" && trap 'rm -rf "$$tmp"' EXIT && TMPDIR="$$tmp" $(BIN)/python -m pytest -n 2

lint: $(DEV) ## style, by ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(DEV) ## rewrite to that style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(DEV) ## types of everything, by mypy --strict
	$(BIN)/mypy

check: lint types test ## lint, types and tests

claude: $(BIN)/pip ## fetch the real Claude Code for its tests (160 MB, once, into the user's cache)
	@$(BIN)/python tools/claude.py

bench: $(DEV) ## how fast it is beside other ways, as ratios; takes a while on a quiet machine
	$(BIN)/python bench

docs: $(DEV) ## write the generated pages again
	$(BIN)/python tools/state_diagram.py
	$(BIN)/python tools/cli_reference.py
	$(BIN)/python tools/live_screens.py
	$(BIN)/python tools/module_map.py
	$(BIN)/python tools/settings_table.py

lock: ## pin the newest versions that fit (needs the network)
	@$(PYTHON) tools/lock.py

clean: ## remove everything that make made
	rm -rf .venv .state .hypothesis .mypy_cache .pytest_cache .ruff_cache

# pip asks a rustc on the PATH for its version, and rustup's would make a folder in the home for that.
$(BIN)/pip $(RUNTIME) $(DEV): export RUSTUP_HOME := $(CURDIR)/.venv/.rustup

# Both stamps are newer than what they were made from, or the step is done again; a step that finds everything in place
# asks no network.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'stretto needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@echo 'setting up .venv'
	@$(PYTHON) -m venv .venv

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(BIN)/pip
	@$(LOCKED) -r requirements/runtime.txt
	@$(PIP) install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME)
	@$(LOCKED) -r requirements/dev.txt
	@touch $@
