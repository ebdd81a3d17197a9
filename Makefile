# Everything starts from here; only Python 3.11 or newer and make are needed. `make help` lists it.

# The first of these that is new enough makes the environment; set PYTHON to choose another.
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
DATA ?= var
OUTCOMES_PORT ?= 8070
ALERTS_PORT ?= 8071
# Real servers of this machine, for the length of a command, which is told where they are.
ON_SERVERS := $(BIN)/python -m tests.servers postgres kafka --
THERE := --store {postgres} --broker {kafka}
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo run test soak mutants check format bench rules thresholds words dashboards lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.dev ## make .venv with everything that running, testing and checking need

demo: .venv/.runtime ## play a synthetic clinic and keep serving it (ONCE=1: end; REAL=1: PostgreSQL, Kafka)
	@$(if $(REAL),$(ON_SERVERS)) $(BIN)/pivotpoint demo $(if $(ONCE),--once) $(if $(REAL),$(THERE))

run: .venv/.runtime ## both services on this machine, data kept in DATA=var
	@$(BIN)/pivotpoint run --data $(DATA) --outcomes-port $(OUTCOMES_PORT) --alerts-port $(ALERTS_PORT)

test: .venv/.dev ## all tests (ARGS=... goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

soak: .venv/.dev ## the long versions of the faults (SOAK_ROUNDS, SOAK_MINUTES, SOAK_EVENTS: how much)
	@$(BIN)/python -m tests.faults.soak

mutants: .venv/.dev ## which small changes of the outcomes core no test notices (SAMPLE=500, SEED=1, MODULE=estimate, LEAST=85)
	@$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(MODULE),--module $(MODULE)) $(if $(LEAST),--least $(LEAST))

check: .venv/.dev ## style, types and boundaries
	@status=0; \
	$(BIN)/ruff check || status=1; \
	$(BIN)/ruff format --check --quiet || { echo "some files are laid out otherwise: make format"; status=1; }; \
	$(BIN)/mypy || status=1; \
	$(BIN)/lint-imports --no-cache --no-logo || status=1; \
	exit $$status

format: .venv/.dev ## lay the code out as `make check` wants it
	@$(BIN)/ruff check --fix --quiet --exit-zero
	@$(BIN)/ruff format --quiet

bench: .venv/.runtime ## measure, each figure beside its baseline (JSON=FILE: one object a line; LONG=1)
	@$(BIN)/python -m bench $(if $(JSON),--json $(JSON)) $(if $(LONG),--long)

rules: .venv/.dev ## write docs/rules.md anew from the rules and their tables, and what they say of courses
	@$(BIN)/python -m tests.rules

thresholds: .venv/.dev ## write the instruments' alarm thresholds anew from their cohorts (half a minute)
	@$(BIN)/python -m tests.core.thresholds

words: .venv/.dev ## write services/alerts/words.pot anew from what the pages say
	@$(BIN)/python -m tests.house.catalogue

dashboards: .venv/.runtime ## write deploy/grafana/*.json anew
	@$(BIN)/python deploy/grafana/dashboards.py

lock: .venv/.uv ## pin every dependency anew, by hash and without addresses
	@rm -f requirements.txt requirements-dev.txt
	@$(BIN)/uv pip compile $(LOCK) --group build -o requirements.txt
	@$(BIN)/uv pip compile $(LOCK) --group build --group dev -c requirements.txt -o requirements-dev.txt

clean: ## remove the environment and what tools left behind; data stays
	@rm -rf .venv *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK := pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; set PYTHON=..."; exit 1; }
	@echo "making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv

# The stamps say which lock stands in .venv; a changed lock installs again. The lock is whole, so pip
# need not look for what a package wants (for an extra it would take a newer one, of unknown hash).
.venv/.runtime: requirements.txt pyproject.toml | .venv/bin/python
	@echo "installing what the services need"
	@$(PIP) install --require-hashes --no-deps -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "installing what tests and checks need"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.txt
	@touch $@

.venv/.uv: | .venv/.runtime
	@$(PIP) install uv
	@touch $@
