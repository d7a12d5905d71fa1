# Every command people and CI run. Each target sets up what it needs; none needs root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo serve test check format bench lock openapi backend-pages contact-sheet clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Understudy needs Python 3.11 or newer; '$(PYTHON)' is older or missing. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; rm -rf $(VENV); exit 1; }

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies (first time: about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP)-dev: requirements-dev.lock $(STAMP)
	@echo "Installing the locked development tools ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(STAMP) ## Make .venv with the locked dependencies and the package

setup-dev: $(STAMP)-dev

demo: setup ## Make demo.mp4 through the real HTTP API
	@$(BIN)/understudy demo

serve: setup ## Run a server on http://127.0.0.1:8000 with ./data
	@$(BIN)/understudy serve

test: setup-dev check ## Run all checks and the whole test suite
	@$(BIN)/python -m pytest -q -rs -n 2 --dist worksteal

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m understudy.api.openapi --check openapi.json
	@$(BIN)/python -m understudy.backends.pages docs/backends

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev ## Run the benchmarks; results and plots in bench/results/
	@$(BIN)/python -m bench

backend-pages: setup ## Write the generated tables of docs/backends anew
	@$(BIN)/python -m understudy.backends.pages --write docs/backends

openapi: setup ## Write openapi.json anew
	@$(BIN)/python -m understudy.api.openapi --write openapi.json

contact-sheet: setup ## Draw docs/contact-sheet.jpg anew
	@$(BIN)/python -m understudy.animatic.contact_sheet docs/contact-sheet.jpg

lock: ## Resolve the dependencies anew (needs the package index)
	@$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	@build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-annotate --no-header pyproject.toml --group dev -o requirements-dev.lock
	@build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-annotate --no-header -c requirements-dev.lock pyproject.toml --group build -o requirements.lock
	@build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-annotate --no-header --override tests/judges/overrides.in tests/judges/requirements.in \
	  -o requirements-judges.lock

clean: ## Remove what the other targets made
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
