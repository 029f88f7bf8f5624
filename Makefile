# Needs Python 3.11, 3.12 or 3.13 and make; everything else is installed into .venv on demand.
#   make demo    the whole month-end close on this machine, proved to the cent
#   make dev     the same sandbox with Dagster's web page
#   make test    the default tests          make check   everything that CI checks

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
# Test processes. Two cores carry two; `make test JOBS=0` runs in one process.
JOBS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Whatever the environment says: each process of the demo and the tests would compile five thousand modules anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo dev test test-odoo test-long pictures mutation bench faults check lint types definitions audit lock format clean
help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.demo
	$(BIN)/fcb demo $(ARGS)

dev: $(VENV)/.demo
	$(BIN)/fcb dev $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

# What the default tests leave out: everything against a real Odoo 19 (installed from packages), and
# a backfill through the real webserver and daemon. Each process has an Odoo of its own, and waits for it half of
# its time: two cores carry three. A module's tests share a closed world, so they are of one process.
ODOO_JOBS ?= 3
test-odoo: $(VENV)/.dev
	$(BIN)/python -m pytest -m "(odoo or slow) and not long" -n $(ODOO_JOBS) --dist loadscope --no-loadscope-reorder $(ARGS)

# What CI leaves out, for the time it takes: twelve months by Celery workers over S3, a round of every fault in
# both ledgers, a month's cost against its history; and the pages in the machine's own Chromium, where there is one
# (SCREENSHOTS=folder keeps what it shows).
test-long: $(VENV)/.dev
	$(BIN)/python -m pytest -m long $(ARGS)

# The pictures of docs/images anew: the walk of docs/month-end.md with a real Odoo 19 and the machine's Chromium.
pictures: $(VENV)/.dev
	SCREENSHOTS=docs/images $(BIN)/python -m pytest -m long fcb_pipelines_tests/defs/test_month_end_in_odoo.py $(ARGS)

# Every known fault, tried; docs/mutation.md is written anew (ten minutes: git tells what differs). The tests
# try those that the commit draws: `make mutation ARGS="--sample 8"` does the same.
mutation: $(VENV)/.dev
	$(BIN)/python -m fcb_pipelines_tests.mutation $(or $(ARGS),--write)

# Every benchmark at its full size, an hour of two cores; docs/performance.md has the figures of one day.
# `make bench ARGS="core history"` runs these two. Tests run those without Odoo small.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(ARGS)

# Every fault, met and survived, in both ledgers; docs/faults.md is written anew (an hour; it needs a C compiler,
# for the clocks). `make test-long` tries a round of each kind (`make faults ARGS=--sample`), each run of CI what the
# commit draws (`ARGS=--drawn`).
faults: $(VENV)/.dev
	$(BIN)/python -m fcb_pipelines_tests.faults $(or $(ARGS),--write)
	$(BIN)/python -m fcb_pipelines_tests.faults --hosts $(or $(ARGS),--write)
	$(BIN)/python -m fcb_pipelines_tests.faults --odoo $(or $(ARGS),--write)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

# The location loads with an empty environment. Elsewhere, since Dagster takes a dagster.yaml in the
# working folder for the instance and then asks for its Postgres.
definitions: $(VENV)/.dev
	cd docs && env -i PATH="$$PATH" $(abspath $(BIN))/dagster definitions validate -w ../workspace.yaml

# Known faults of the locked packages; where pip-audit can't reach its data it says so, loudly, and fails nothing.
audit: $(VENV)/.dev
	$(BIN)/python -m fcb_pipelines_tests.supply_chain.audit

# deploy/requirements anew, from pyproject.toml and what the index has today; docs/maintaining.md says when.
lock: $(VENV)/.dev
	$(BIN)/python -m fcb_pipelines_tests.supply_chain.lock

# What CI runs after `make demo`. FCB_REQUIRE_ODOO=1 makes a missing Odoo a failure.
check: lint types definitions audit test test-odoo

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find fcb_pipelines fcb_pipelines_tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@python=; for name in python3.11 python3.12 python3.13 python3; do \
	  if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "make: Python 3.11, 3.12 or 3.13 is needed" >&2; exit 1; fi; \
	echo "making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV)

# uv installs in a quarter of pip's time; where pip alone is configured for this machine's index, pip does it. Like
# pip it trusts the certificates of the system.
INSTALL = $(BIN)/python -m pip install -qq 'uv>=0.9,<1' && UV_SYSTEM_CERTS=1 $(BIN)/uv pip install -q --python $(BIN)/python \
  --editable $(1) || $(BIN)/python -m pip install -qq --editable $(1)

# A stamp says that an install finished; pyproject.toml newer than it means: install again.
$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (about a minute, once)"
	@$(call INSTALL,'.[sandbox]')
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (about a minute, once)"
	@$(call INSTALL,'.[dev]')
	@touch $@ $(VENV)/.demo
