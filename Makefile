# Doorstep. `make help` lists what there is. Needs Python 3.11 or newer and make; all else is installed into this folder.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do command -v $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
FLASK := $(PY) -m flask --app backend.app
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
SCALE ?= small
ARGS ?=

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint types imports test-backend test-unit test-domain test-api test-jobs test-cli test-architecture \
	test-faults test-launch test-frontend test-browser frontend frontend-lint frontend-types bench bench-compare bench-data demo doctor \
	admin audit-verify backup restore openapi generate format lock sbom audit prepare install install-dev clean

##@ Run
run: $(VENV)/.runtime ## Start the whole product on http://127.0.0.1:5000 (PORT, DATA_DIR); Ctrl-C ends it
	@exec $(PY) -m backend.launch

demo: $(VENV)/.runtime ## Fill the running market with a believable one
	@$(FLASK) demo $(ARGS)

doctor: $(VENV)/.runtime ## Check that the running product does its main job, and leave nothing behind
	@$(PY) -m flask --app backend.app:create_owner_app doctor $(ARGS)

admin: $(VENV)/.runtime ## Admins from the command line: make admin ARGS="create --username N --email M" (or list, reset-password N)
	@$(FLASK) admins $(ARGS)

prepare: $(VENV)/.runtime ## Migrations, pincodes and first admin on DATABASE_URL, without starting anything
	@$(PY) -m backend.launch.prepare

backup: $(VENV)/.runtime ## Save database, documents and exports: make backup TO=folder (may run beside the product)
	@$(PY) -m backend.launch.backup save "$(TO)"

restore: $(VENV)/.runtime ## Put a backup back: make restore FROM=folder (end the product first; OVER=1, KEEP_MAIL=1)
	@$(PY) -m backend.launch.backup restore "$(FROM)" $(if $(OVER),--over) $(if $(KEEP_MAIL),--keep-mail)

audit-verify: $(VENV)/.runtime ## Check that no entry of the audit trail was changed or removed
	@$(FLASK) audit-verify

##@ Test
test: install-dev ## Everything: lint, types, import contracts, all tests, browser journeys; ends with what passed
	@$(PY) -m tests.suite

lint: $(VENV)/.dev ## Ruff: rules and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	@$(PY) -m mypy

imports: $(VENV)/.dev ## Who may import whom
	@$(VENV)/bin/lint-imports

test-backend: $(VENV)/.dev ## All backend tests but faults, launch and browser
	@$(PY) -m pytest tests --ignore=tests/faults --ignore=tests/launch --ignore=tests/browser $(ARGS)

test-unit test-domain test-api test-jobs test-cli test-architecture test-faults: test-%: $(VENV)/.dev ## One folder of tests
	@$(PY) -m pytest tests/$* $(ARGS)

test-launch: $(VENV)/.dev frontend ## The start itself: second start, kills, signals, bad settings
	@$(PY) -m pytest tests/launch $(ARGS)

test-browser: $(VENV)/.dev frontend ## Journeys of all roles in a real Chromium
	@$(PY) -m pytest tests/browser $(ARGS)

test-frontend: $(VENV)/.dev ## Unit tests of the web application
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm test -- $(ARGS)

frontend-lint: $(VENV)/.dev ## eslint and oxlint
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent lint

frontend-types: $(VENV)/.dev ## vue-tsc
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent types

##@ Measure
bench: $(VENV)/.dev ## All benchmarks, each beside its baseline (ARGS="name ..." for some)
	@$(PY) -m benchmarks $(ARGS)

bench-data: $(VENV)/.dev ## Fill a database for the benchmarks by COPY: SCALE=small or large
	@$(PY) -m benchmarks.data --scale $(SCALE) $(ARGS)

bench-compare: $(VENV)/.dev ## The same calls on this checkout and an earlier commit, by turns: REF=commit
	@$(PY) -m benchmarks.compare $(REF)

##@ Develop
install: $(VENV)/.runtime ## What the product needs
install-dev: $(VENV)/.dev ## What the tests need too

frontend: $(VENV)/.runtime ## Build the web application into frontend/dist
	@$(PY) -m backend.launch.frontend

openapi: $(VENV)/.runtime ## Write openapi.json anew and the web application's client from it
	@$(FLASK) openapi > openapi.json.new
	@mv openapi.json.new openapi.json
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent api

generate: openapi ## Write all generated files anew
	@$(PY) -m backend.settings > .env.example
	@$(FLASK) lifecycle > docs/lifecycle.md

format: $(VENV)/.dev ## Put Python files in order
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format .

lock: $(VENV)/.dev ## Write the lock files anew (only what pyproject.toml asks for changes; ARGS=--upgrade for all)
	@sh .ci/lock $(ARGS)

sbom: $(VENV)/.dev ## Write what a build holds (CycloneDX) into build/
	@sh .ci/sbom

audit: $(VENV)/.dev ## Ask the advisory services of PyPI and npm about every locked package (needs the network)
	@sh .ci/audit

clean: ## Remove what was built and cached; data and settings stay
	@rm -rf build frontend/dist frontend/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(VENV)
	@find backend tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-zA-Z][a-zA-Z -]*:.*## / {sub(/: test-%.*/, "", $$1); printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment. A stamp is written only after success, so whatever was interrupted is done again.
$(VENV)/.made:
	@sh .ci/make-venv "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock
	@echo "Installing Python packages (hashes checked) ..."
	@$(PIP_INSTALL) -r requirements.lock || { sh .ci/explain-pip; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing Python packages for tests (hashes checked) ..."
	@$(PIP_INSTALL) -r requirements-dev.lock || { sh .ci/explain-pip; exit 1; }
	@touch $@
