# Deskledger: `make up` runs it, `make test` tests it. A fresh Debian needs Python 3.11, its venv module and make.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The set-up is done when a stamp of exactly these contents exists. The folder counts too: a virtual environment
# that was moved or copied points at its old place.
KEY := $(shell { pwd; cat requirements/*.lock requirements/install.sh */*/pyproject.toml; } | cksum | tr ' ' '-')
DEV := .venv/.ready-dev-$(KEY)
# A development set-up holds everything that running needs, so `make up` after `make test` has nothing to do.
RUNTIME := $(or $(wildcard $(DEV)),.venv/.ready-runtime-$(KEY))

.PHONY: help setup up up-servers test lint format lock translations docs bench clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(DEV) ## the environment for tests, which the others make when it is absent

up: $(RUNTIME) ## the whole suite as one process (DESKLEDGER_PORT, DESKLEDGER_DATA, DESKLEDGER_DEMO)
	@exec $(BIN)/deskledger up

up-servers: $(RUNTIME) ## one process per web and worker (DESKLEDGER_POSTGRES_URL, AMQP_URL, DESKLEDGER_PORT)
	@exec $(BIN)/deskledger-servers up

test: $(DEV) ## all tests; ARGS="-k booking -x" goes to pytest
	@$(BIN)/python -m pytest $(ARGS)

lint: $(DEV) ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## put the sources into the house's form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# No index address may stand in a committed file, hence --no-emit-index-url and no header with the command line.
# The later locks are constrained by the runtime's, so that setting up for tests never moves a runtime version.
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 $(UPGRADE)
lock: $(DEV) ## renew requirements/*.lock from the *.in files; UPGRADE=--upgrade takes the newest versions
	$(COMPILE) requirements/tools.in -o requirements/tools.lock
	$(COMPILE) requirements/runtime.in -o requirements/runtime.lock
	$(COMPILE) -c requirements/runtime.lock requirements/dev.in -o requirements/dev.lock

translations: $(DEV) ## the portal's catalogues, brought up to date with its texts
	@$(BIN)/python -m portal translations

docs: $(DEV) ## the generated pages: OpenAPI, AsyncAPI
	$(BIN)/python docs/generate.py

bench: $(DEV) ## the benchmarks, with the rig disclosed
	$(BIN)/python bench/run.py

clean: ## remove the environment and all caches; never the data in var/
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready-%-$(KEY):
	@PYTHON="$(PYTHON)" sh requirements/install.sh $*
	@rm -f .venv/.ready-*
	@touch $@
