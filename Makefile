# `make compare` and `make test` need nothing but Python 3.11 (or newer) and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL = $(PIP) install --quiet --constraint constraints.txt --editable
export OMP_NUM_THREADS ?= 1
PROCESSES ?= 3  # many tests wait for Ray to start, so two cores take three

.PHONY: compare test test-long test-cluster lint bench cluster clean

compare: $(VENV)/.installed  ## compare all optimizers on space 3
	$(BIN)/python -m raynas.compare --space 3

test: $(VENV)/.installed-test  ## everything that takes seconds
	$(BIN)/python -m pytest -m "not long and not cluster" -n $(PROCESSES) --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

test-long: $(VENV)/.installed-test  ## what takes minutes
	$(BIN)/python -m pytest -m "long and not cluster" --timeout 3000 $(PYTEST_ARGS)

test-cluster: $(VENV)/.installed-test cluster  ## a cluster of namespaces over ssh; needs root on Linux
	$(BIN)/python -m pytest -m cluster $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev  ## formatting, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed-test  ## the measurements of the README
	$(BIN)/python -m tests.performance

# All that a node gets: this version's wheel, the pins, the scripts, and a token that stays.
cluster: $(VENV)/.installed  ## what cluster.yaml and clusters/ copy to each node
	rm -rf build dist/cluster/*.whl && mkdir -p dist/cluster
	$(PIP) wheel --quiet --no-deps --wheel-dir dist/cluster .
	cp -R clusters/node/. constraints.txt dist/cluster/
	cd dist/cluster && ls *.whl >wheel
	cd dist/cluster && test -s auth_token || (umask 077; \
		$(abspath $(BIN))/python -c 'import secrets; print(secrets.token_hex(32), end="")' >auth_token)

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) "."
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) ".[test]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) ".[dev]"
	touch $@ $(VENV)/.installed-test $(VENV)/.installed
