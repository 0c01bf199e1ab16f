# Each target makes its own environment in .venv; nothing has to be installed by hand but
# Python 3.11 or newer with venv, and for the tests a C compiler.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.PHONY: demo check test fuzz cluster-test docs bench walk screenshots clean

demo: $(INSTALLED)
	$(BIN)/lossmon demo $(ARGS)

# What to run after each change; `make test` runs everything.
check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto -m "not slow"

test: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist worksteal

# Tests with real servers. In `make test` those whose server is not installed are skipped; here
# they fail, and say what to install.
cluster-test: $(DEV)
	CLUSTER_TESTS=1 $(BIN)/python -m pytest tests/cluster tests/prometheus tests/remote

fuzz: $(DEV)
	$(BIN)/python -m tests.fuzz $(ARGS)

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

bench: $(DEV)
	$(BIN)/python -m benchmarks $(ARGS)

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

$(DEV): pyproject.toml requirements-dev.txt $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) build dist
