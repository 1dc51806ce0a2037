# The Python that .venv is made with; the pins in requirements.lock are for 3.11.
PYTHON ?= python3.11
# Two workers: TensorFlow takes seconds to import in each.
WORKERS ?= 2

# Quiet twice: errors only.
PIP_INSTALL := .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install demo test combined bench docs reference format lint type lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

install: .venv/.installed ## Install everything into .venv

# The build tools go first, from their own pins: gym ships sources only, and building it
# against whatever setuptools is newest that day would not be reproducible.
.venv/.installed: requirements.lock setup.py
	@$(PYTHON) -c 'import ensurepip, sys; assert sys.version_info[:2] == (3, 11)' 2>/dev/null \
	  || { echo 'error: $(PYTHON) is no Python 3.11 with venv; try make PYTHON=FILE' >&2; exit 2; }
	@echo 'installing requirements.lock into .venv: 2.7 GB, a few minutes'
	@$(PYTHON) -m venv .venv
	@sed -nE '/^(pip|setuptools)==/,/# via/p' requirements.lock > .venv/build-tools.txt
	@$(PIP_INSTALL) --require-hashes -r .venv/build-tools.txt
	@$(PIP_INSTALL) --require-hashes --no-build-isolation -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv/.installed ## Train a small stack and draw its pictures
	.venv/bin/python -m launchers.demo

test: .venv/.installed ## Run the tests
	.venv/bin/python -m pytest -q -n $(WORKERS) --dist loadfile \
	  --no-loadscope-reorder tests

combined: ## Run the library beside torch, SB3, Minari, Ray and Keras 3
	PYTHON=$(PYTHON) .ci/combined

bench: .venv/.installed ## Measure speed beside TF-Agents, SB3 and SBX: 15 minutes
	.venv/bin/python -m benchmarks.run --output=results/bench

docs: export NO_MKDOCS_2_WARNING = 1
docs: .venv-docs/.installed ## Build the pages as a site into build/site
	.venv-docs/bin/mkdocs build --quiet --strict --config-file website/mkdocs.yml
	@echo 'python3 -m http.server --directory build/site shows it'

# An environment of its own: the generator takes no part in the pins of requirements.lock.
.venv-docs/.installed: website/requirements.txt
	@$(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
	  --require-hashes -r website/requirements.txt
	@touch $@

format: .venv/.installed ## Format the code and sort its imports
	.venv/bin/ruff check --select I --fix .
	.venv/bin/ruff format .

reference: .venv/.installed ## Write docs/reference.md from the code
	.venv/bin/python -m latent_hrl.reference > docs/reference.md

lint: .venv/.installed ## Check format and style
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .

type: .venv/.installed ## Check types
	.venv/bin/mypy latent_hrl launchers benchmarks

# Keeps the pins that still fit; `make lock UPGRADE=1` takes the newest that fit.
LOCK := CUSTOM_COMPILE_COMMAND='make lock' .venv/bin/pip-compile --quiet --generate-hashes \
  --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links \
  --no-emit-trusted-host --no-emit-options $(if $(UPGRADE),--upgrade)

lock: .venv/.installed ## Resolve setup.py into requirements.lock
	$(LOCK) --extra dev --no-build-isolation --output-file requirements.lock setup.py
	$(LOCK) --output-file website/requirements.txt website/requirements.in

clean: ## Remove .venv and all caches
	rm -rf .venv .venv-docs .venv-peers build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
