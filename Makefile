# Each target makes its own environment in .venv; nothing has to be installed by hand but
# Python 3.11 or newer with venv, and for the tests a C compiler.

PYTHON ?= python3
VENV := .venv
# Tools that are no part of the environment of the tests.
TOOLS := build/tools
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.PHONY: demo check test fuzz cluster-test docs bench soak walk screenshots lock audit packages clean

demo: $(INSTALLED)
	$(BIN)/lossmon demo $(ARGS)

# What to run after each change; `make test` runs everything.
check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto -m "not slow"

# mypy has one processor; on another one the tests are compiled meanwhile, for all workers.
test: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --collect-only -qq > /dev/null & $(BIN)/mypy; code=$$?; wait; exit $$code
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist worksteal

# Tests with real servers, mounts and clocks. In `make test` those whose server is not installed are
# skipped; here they fail, and say what to install.
cluster-test: $(DEV)
	CLUSTER_TESTS=1 $(BIN)/python -m pytest tests/cluster tests/prometheus tests/remote tests/test_dead_mount.py tests/test_system_faults.py

fuzz: $(DEV)
	$(BIN)/python -m tests.fuzz $(ARGS)

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

bench: $(DEV)
	$(BIN)/python -m benchmarks $(ARGS)

# An hour of twenty watched runs with two kills, and a month of one run on the screen, at speed.
soak: $(DEV)
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.month

walk: $(DEV)
	$(BIN)/python -m benchmarks.walk

screenshots: $(DEV)
	$(BIN)/python -m benchmarks.screenshots

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "lossmon needs Python 3.11 or newer; say which with make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(VENV)/bin/python
	@echo "installing lossmon and its dependencies into $(VENV): about a minute"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[web]'
	# An editable install is not compiled by pip; the first start should not pay for it.
	$(BIN)/python -m compileall -q lossmon
	touch $@

# The very same versions everywhere, by their hashes; then lossmon itself, from this directory.
$(DEV): pyproject.toml requirements-dev.lock | $(VENV)/bin/python
	@echo "installing lossmon and what its tests need into $(VENV): some minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q lossmon
	touch $(INSTALLED) $@

# After a change of pyproject.toml or requirements-dev.txt, or for newer versions: ARGS=--upgrade.
lock: $(TOOLS)/bin/python
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'
	UV_CUSTOM_COMPILE_COMMAND='make lock' $(TOOLS)/bin/uv pip compile pyproject.toml requirements-dev.txt --extra web --universal --python-version 3.11 --generate-hashes --quiet --output-file requirements-dev.lock $(ARGS)

# Known vulnerabilities of the versions in the lock. Asks pypi.org, and fails where that knows less.
audit: $(TOOLS)/bin/python
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements-dev.lock

# Builds the packages, installs them with every Python that is here, and runs them.
packages: $(DEV)
	$(BIN)/python -m tests.packages

$(TOOLS)/bin/python:
	$(PYTHON) -m venv $(TOOLS)

clean:
	rm -rf $(VENV) build dist
