# Everything that a fresh clone needs: Python 3.11 or newer, and make.
#
#   make run       set up, then play the year 2021 (ONCE=1: end when it is done)
#   make test      set up, then check and test everything
#   make campaign  set up, then run the long fault tests; writes a dated report
#   make fuzz      set up, then fuzz requests and records by chance (MINUTES=30); writes a dated report
#   make bench     set up, then measure
#   make docs      set up, then write again what is generated: documents, tables and pictures in the READMEs
#   make assets    copy what the screens load out of the pinned npm packages (needs npm; run and test do not)
#   make setup     only set up `.venv`        make lint   ruff and mypy alone
#   make clean     remove `.venv` and caches (data in .poec stay; for root the databases lie in /var/lib/poec: `poec down --remove-data`)

SHELL := /bin/sh
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help run test campaign fuzz bench docs assets setup lint clean

STAMP := .venv/.ready
POEC := .venv/bin/poec
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:
	@sed -n 's/^#   //p' Makefile

setup: $(STAMP)

# The stamp is newer than what was installed, so a second run does nothing and a new lock file is noticed. It holds the
# folder it was made in: an environment that was moved, or whose Python is gone, is made again.
ifneq ($(shell test -x .venv/bin/python && cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif
$(STAMP): requirements.txt pyproject.toml deploy/setup.sh
	@goal="$(MAKECMDGOALS)" /bin/sh deploy/setup.sh

run: $(STAMP)
	@if [ -n "$(ONCE)" ] || ! [ -t 0 ] || ! [ -t 1 ]; then exec $(POEC) demo --once; else exec $(POEC) demo; fi

lint: $(STAMP)
	@echo "ruff: style and mistakes"
	@.venv/bin/ruff check .
	@echo "mypy: types"
	@.venv/bin/mypy

test: lint
	@echo "pytest: real Kafka and PostgreSQL, started and stopped by the tests"
	@.venv/bin/pytest -m "not campaign" --durations 15

campaign: $(STAMP)
	@echo "pytest: all fault tests, the long ones too (about 15 minutes); the report goes to tests/chaos/reports/"
	@.venv/bin/pytest tests/chaos --campaign-report

fuzz: $(STAMP)
	@echo "pytest: fuzzing for about $(or $(MINUTES),30) minutes; the report goes to tests/fuzz/reports/"
	@.venv/bin/pytest tests/fuzz --timeout=0 --fuzz-minutes $(or $(MINUTES),30) $(if $(SEED),--fuzz-seed $(SEED))

bench: $(STAMP)
	@$(POEC) bench flow --concurrency 1,50,500

# The tests that compare what is generated with what is committed; told to write, they write.
docs: $(STAMP)
	@UPDATE_DOCS=1 .venv/bin/pytest -q tests/contracts/test_asyncapi.py tests/contracts/test_openapi.py tests/contracts/test_policy_page.py tests/contracts/test_data_map.py tests/test_documentation.py
	@UPDATE_DOCS=1 .venv/bin/pytest -q tests/contracts/test_tables.py -k the_data_map
	@UPDATE_DOCS=1 .venv/bin/pytest -q tests/services -k the_readme

assets: $(STAMP)
	@command -v npm >/dev/null || { echo "npm is needed: install Node.js (Debian, Ubuntu: apt install npm)" >&2; exit 1; }
	@cd shared/web/npm && npm ci --no-progress --loglevel=error
	@.venv/bin/python -m shared.web.assets; rm -rf shared/web/npm/node_modules

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find deploy services shared tests -name __pycache__ -type d -prune -exec rm -rf {} +
