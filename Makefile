# Two commands set up everything on a fresh machine: `make demo` and `make test`.
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run
DEV    := $(VENV)/.dev

.PHONY: demo
demo: $(RUN)
	@$(BIN)/python -m bot demo $(ARGS)

.PHONY: install
install: $(RUN)
	@echo 'Installed. To have the command: export PATH="$(CURDIR)/$(BIN):$$PATH"'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Shipmate needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …"; exit 1; }
	@echo "Installing into $(VENV); this takes a minute or two."
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# TIER is quick (the default, < 8 minutes on two cores) or long (what is slow and still belongs to every change).
TIER ?= quick
ifeq ($(TIER),long)
MARK := long
else
MARK := not long
endif

.PHONY: test
test: $(DEV)
	@$(BIN)/python -m tests.support.needs --install
ifeq ($(TIER),quick)
	@$(MAKE) --no-print-directory check
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "$(MARK)" -n 4 --dist loadfile $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/python -m tests.support.ratchet
else
	$(BIN)/python -m pytest -m "$(MARK)" -n 2 --dist loadfile --timeout 900 $(ARGS)
endif
	@$(BIN)/python -m tests.support.needs --report

.PHONY: check
check: $(DEV)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: bench
bench: $(DEV)
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: torture
torture: $(DEV)
	@$(BIN)/python -m tests.torture $(ARGS)

# The two lock files, made anew from pyproject.toml (needs uv).
.PHONY: lock
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml build.in -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev --extra otel -c requirements.lock pyproject.toml build.in -o requirements-dev.lock
