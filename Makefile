# Needs Python 3.11 or newer with venv and pip, and make. Every environment is made in
# this folder under a name that starts with .venv; `make clean` removes them all.

PYTHON ?= python3
WORKERS ?= 2
SCENARIO ?=
# An interpreter to use for `make test-newest`; without one, the tool gets one.
NEWEST_PYTHON ?=
# The script of axe-core for `make test-browser`; without one, the tool gets it.
AXE ?=
PYTEST = -m pytest -n $(WORKERS)
INSTALL = -m pip install --quiet --no-compile
PACKAGED := $(shell find churnsim configs -type f ! -name '*.pyc' 2>/dev/null)

RUN := .venv
TEST := .venv-test
LOWEST := .venv-lowest
NEWEST := .venv-newest
LOCK := .venv-lock
# The golden tests, and with them all that compare bits, and what reads and writes them.
GOLDEN := tests/golden
BITS := $(wildcard tests/test_*.py) $(GOLDEN) tests/twins tests/fit tests/sweep \
  $(addprefix tests/experiment/test_,store.py comparison.py)
BROWSER := .venv-browser

# What may change machine code or library routines, but never a result; a comma parts two
# variables of one setting, a slash two values of one variable. Each compiles the kernel
# again, so they come in as few settings as can tell: no optimisation; less of it, on the
# plainest processor; and no vectors in loops, numpy or the C library's mathematics.
PLAIN := NUMBA_LOOP_VECTORIZE=0
ifeq ($(shell uname -sm),Linux x86_64)
PLAIN := $(PLAIN),NPY_DISABLE_CPU_FEATURES=X86_V3,GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA/-AVX2
endif
SETTINGS := NUMBA_OPT=0 NUMBA_OPT=2,NUMBA_CPU_NAME=generic,NUMBA_CPU_FEATURES= $(PLAIN)

# Real data sets, where there are any; the tests that want them say so when they skip.
ifneq ($(wildcard ../shared/data/.),)
export CHURNSIM_DATA ?= $(abspath ../shared/data)
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-slow test-lowest test-newest test-settings test-browser \
  test-guard lint compiled format lock clean

help: ## Say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

run: $(RUN)/installed ## Install churnsim in .venv and simulate the default scenario
	$(RUN)/bin/churnsim run $(SCENARIO)

# Types are checked on one core while the simulation is compiled on another: else each
# worker would compile it.
test: $(TEST)/installed ## Lint, check types and run the tests (the quick ones)
	$(MAKE) -j 2 lint compiled
	$(TEST)/bin/python $(PYTEST) -m "not slow"

test-slow: $(TEST)/installed ## Run the tests that take longer
	$(TEST)/bin/python $(PYTEST) -m slow

test-lowest: $(LOWEST)/installed ## Repeat compiled and golden tests, oldest libraries
	@# Results only: how a terminal looks changes with the library that draws on it. And
	@# bits only: where these are the same, so is all that is made of them.
	$(LOWEST)/bin/python $(PYTEST) $(BITS) -m "(compiled or golden) and not slow"

test-newest: $(NEWEST)/installed ## Repeat the golden tests on the newest Python
	@# Looking for them everywhere also tries whether everything can be imported there.
	$(NEWEST)/bin/python $(PYTEST) -m "golden and not slow"

test-guard: $(TEST)/installed ## Hold the kernel's work against what is kept
	$(TEST)/bin/python -m benchmarks guard --only counts --only instructions

test-browser: $(TEST)/installed ## Look at pages in Chromium, which it gets if it can
	axe="$(AXE)"; \
	: "$${axe:=$$(tools/browser.sh $(BROWSER) $(TEST)/bin/python)}" && \
	CHURNSIM_AXE="$$axe" CHURNSIM_BROWSER_REQUIRED=yes \
	  $(TEST)/bin/python -m pytest -m browser

test-settings: $(TEST)/installed ## Repeat the golden tests, other compiler settings
	@for setting in $(SETTINGS); do \
	  echo "== $$setting"; \
	  env $$(echo "$$setting" | tr ',/' ' ,') \
	    $(TEST)/bin/python $(PYTEST) $(GOLDEN) -q -m "golden and not slow" || \
	    exit 1; \
	done

lint: $(TEST)/installed ## Check form, style and types
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy

compiled: $(TEST)/installed ## Compile the simulation, once on this machine
	$(TEST)/bin/churnsim run --replications 1 --set population.customers=20 >/dev/null

format: $(TEST)/installed ## Put the code in form
	$(TEST)/bin/ruff check --fix .
	$(TEST)/bin/ruff format .

lock: $(LOCK)/installed ## Write requirements.lock anew from pyproject.toml
	$(LOCK)/bin/uv pip compile --quiet --universal --upgrade --generate-hashes \
	  --extra dev --python-version 3.11 --no-emit-index-url --no-header \
	  pyproject.toml --output-file requirements.lock

clean: ## Remove environments, caches and build products
	rm -rf .venv .venv-* build dist out .hypothesis .mypy_cache .pytest_cache \
	  .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an interrupted installation is done again. Where tests run,
# bytecode is made on all cores, and of all but the libraries' own tests, a third of all.
BYTECODE = -m compileall -q -j 0 -x '[\\/]tests?[\\/]'

$(RUN)/installed: pyproject.toml LICENSE README.md $(PACKAGED)
	$(PYTHON) -m venv $(RUN)
	$(RUN)/bin/python -m pip install --quiet ".[report]"
	@touch $@

$(TEST)/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/python $(INSTALL) --require-hashes -r requirements.lock
	$(TEST)/bin/python $(INSTALL) --no-deps --editable .
	-$(TEST)/bin/python $(BYTECODE) $(TEST)/lib >/dev/null 2>&1
	@touch $@

$(LOWEST)/installed: pyproject.toml tests/lowest-constraints.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python $(INSTALL) --editable ".[test]" \
	  --constraint tests/lowest-constraints.txt
	-$(LOWEST)/bin/python $(BYTECODE) $(LOWEST)/lib >/dev/null 2>&1
	@touch $@

$(NEWEST)/installed: pyproject.toml requirements.lock tools/newest_python.sh
	rm -rf $(NEWEST)
	python="$(NEWEST_PYTHON)"; \
	: "$${python:=$$(tools/newest_python.sh $(NEWEST)-python)}" && \
	"$$python" -m venv $(NEWEST)
	$(NEWEST)/bin/python $(INSTALL) --require-hashes -r requirements.lock
	$(NEWEST)/bin/python $(INSTALL) --no-deps --editable .
	-$(NEWEST)/bin/python $(BYTECODE) $(NEWEST)/lib >/dev/null 2>&1
	@touch $@

$(LOCK)/installed:
	$(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/python -m pip install --quiet "uv>=0.5"
	@touch $@
