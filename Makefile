# Tidewaiter: every command a newcomer needs. `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGES := codecs gateway routing security loadtest benchmarks

.PHONY: help demo test check lint types imports pytest bench bench-pipeline bench-edifact bench-as2 bench-peers timing-oracle load interop interop-deps clean

help:
	@echo "make demo    install into $(VENV) and run the demonstration"
	@echo "make test    install and run every check and test"
	@echo "make bench   run the benchmarks: bench-pipeline, bench-edifact and bench-as2 (bench-peers adds readers from npm)"
	@echo "make timing-oracle  see if times of answers tell what failed inside encryption (20 minutes; N=100000)"
	@echo "make interop run the whole matrix against other AS2 stacks (make interop-deps installs them)"
	@echo "make load    run a short load test against a gateway of its own"
	@echo "make clean   remove what the other commands made"

demo: $(VENV)/.installed
	@$(BIN)/tidewaiter demo

test: $(VENV)/.dev-installed check pytest

check: $(VENV)/.dev-installed lint types imports

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-installed
	@mkdir -p .typecheck && ln -sfn .. .typecheck/tidewaiter
	MYPYPATH=.typecheck $(BIN)/mypy $(addprefix -p tidewaiter.,$(PACKAGES))

imports: $(VENV)/.dev-installed
	$(BIN)/lint-imports

pytest: $(VENV)/.dev-installed
	$(BIN)/python -m pytest

bench: bench-pipeline bench-edifact bench-as2

bench-pipeline: $(VENV)/.dev-installed
	$(BIN)/python -m pytest benchmarks --benchmark-only -p no:cacheprovider

bench-edifact: $(VENV)/.dev-installed
	$(BIN)/python -m tidewaiter.benchmarks.edifact $(if $(QUICK),--quick)

bench-as2: $(VENV)/.dev-installed
	$(BIN)/python -m tidewaiter.benchmarks.as2 $(if $(QUICK),--quick)

bench-peers: $(VENV)/.dev-installed
	$(BIN)/python -m tidewaiter.benchmarks.edifact.node

timing-oracle: $(VENV)/.dev-installed
	$(BIN)/python -m tidewaiter.benchmarks.as2.oracle $(if $(N),--n $(N))

# Other AS2 stacks as live partners: every cell of the matrix; `make test` runs a section of it.
interop: $(VENV)/.dev-installed
	TIDEWAITER_INTEROP=1 $(BIN)/python -m pytest tests/interop

interop-deps: $(VENV)/.dev-installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[peers]'
	@command -v npm >/dev/null 2>&1 || { echo "npm's libas2 needs node and npm (Debian: apt install npm)"; exit 1; }
	@mkdir -p tests/interop/.deps && cp tests/interop/programs/package.json tests/interop/.deps/
	npm install --prefix tests/interop/.deps --ignore-scripts --no-audit --no-fund --silent
	@command -v openssl >/dev/null 2>&1 || { echo "the openssl command line is missing (Debian: apt install openssl)"; exit 1; }
	@$(BIN)/python -m pip list 2>/dev/null | grep -i pyas2lib; npm ls --prefix tests/interop/.deps --depth=0 2>/dev/null | tail -n +2; openssl version

load: $(VENV)/.dev-installed
	$(BIN)/python -m tidewaiter.loadtest

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "tidewaiter needs Python 3.11 or newer: no '$(PYTHON)' found (set PYTHON=)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tidewaiter needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1) (set PYTHON=)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "'$(PYTHON)' has no venv module: install it (Debian: apt install python3-venv)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' 'setuptools>=77' wheel
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .typecheck build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/out
