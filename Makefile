# Doorstep. `make help` lists what there is. Needs Python 3.11 or newer and make; all else is installed into this folder.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do command -v $$p && break; done)
VENV := $(or $(shell cat .venv-name 2>/dev/null),.venv)
DOCS_VENV := build/docs-venv
PY := $(VENV)/bin/python
FLASK := $(PY) -m flask --app backend.app
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
SCALE ?= small
EXAMPLES ?= 200
SEED ?= $$(date +%s)
ARGS ?=
# What the product runs with: the packages for spans, too, once make telemetry has installed them.
PACKAGES = $(VENV)/.runtime $(wildcard $(VENV)/.telemetry)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run upgrade dev test test-changed lint prose types imports test-backend test-unit test-domain test-api test-jobs test-cli test-architecture \
	test-faults fuzz scale chaos soak test-launch test-frontend test-browser frontend frontend-lint frontend-types bench lighthouse bench-compare bench-compare-work bench-data bench-statements demo doctor telemetry \
	admin audit-verify backup restore openapi generate format lock sbom audit docs docs-screenshots prepare install install-dev clean

##@ Run
run: $(PACKAGES) ## Start the product on http://127.0.0.1:5000 (PORT, DATA_DIR); Ctrl-C stops it
	@exec $(PY) -m backend.launch

dev: $(VENV)/.runtime ## Start the product for development: both sides reload when a file changes
	@exec $(PY) -m backend.launch.dev

upgrade: ## Replace the running product by this checkout without a pause, after git pull or a checkout
	@venv=$$(sh .ci/upgrade-venv "$(VENV)") && \
		$(MAKE) --silent VENV="$$venv" $(patsubst $(VENV)/%,"$$venv/%",$(PACKAGES)) && \
		exec "$$venv/bin/python" -m backend.launch.upgrade

demo: $(VENV)/.runtime ## Fill the running marketplace with sample data
	@$(FLASK) demo $(ARGS)

doctor: $(VENV)/.runtime ## Check the running product end to end; removes what it creates
	@$(PY) -m flask --app backend.app:create_owner_app doctor $(ARGS)

admin: $(VENV)/.runtime ## Manage admins: make admin ARGS="create --username N --email M" (or list, reset-password N)
	@$(FLASK) admins $(ARGS)

prepare: $(VENV)/.runtime ## Apply migrations, load pincodes and create the first admin on DATABASE_URL
	@$(PY) -m backend.launch.prepare $(ARGS)

backup: $(VENV)/.runtime ## Back up database, documents and exports: make backup TO=folder (the product may be running)
	@$(PY) -m backend.launch.backup save "$(TO)"

restore: $(VENV)/.runtime ## Restore a backup: make restore FROM=folder (stop the product first; OVER=1, KEEP_MAIL=1)
	@$(PY) -m backend.launch.backup restore "$(FROM)" $(if $(OVER),--over) $(if $(KEEP_MAIL),--keep-mail)

audit-verify: $(VENV)/.runtime ## Verify that no entry of the audit trail was changed or removed
	@$(FLASK) audit-verify

##@ Test
test: install-dev ## Run everything: lint, types, import contracts, all tests, browser journeys
	@$(PY) -m tests.suite

test-changed: $(VENV)/.dev ## Run lint, types and the tests near what differs from main (ARGS="--base REF --all")
	@$(PY) -m tests.changed $(ARGS)

lint: prose $(VENV)/.dev ## Ruff: rules and format; wording of texts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

prose: $(VENV)/.dev ## Check texts for rejected words
	@$(PY) -m pytest -q -p no:cacheprovider tests/architecture/test_prose.py

types: $(VENV)/.dev ## Run mypy in strict mode
	@$(PY) -m mypy

imports: $(VENV)/.dev ## Check the import contracts
	@$(VENV)/bin/lint-imports

test-backend: $(VENV)/.dev ## Run the backend tests except faults, launch, browser and scale
	@$(PY) -m pytest tests --ignore=tests/faults --ignore=tests/launch --ignore=tests/browser --ignore=tests/scale $(ARGS)

test-unit test-domain test-api test-jobs test-cli test-architecture test-faults: test-%: $(VENV)/.dev ## Run one folder of tests
	@$(PY) -m pytest tests/$* $(ARGS)

fuzz: $(VENV)/.dev ## Send EXAMPLES=200 random inputs to every operation; SEED=n repeats a run
	@seed=$(SEED); echo "make fuzz EXAMPLES=$(EXAMPLES) SEED=$$seed"; \
		FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$$seed $(PY) -m pytest -q -p no:cacheprovider tests/api/test_contract_fuzz.py $(ARGS)

test-launch: $(VENV)/.dev frontend ## Test the start: second start, kills, signals, bad settings
	@$(PY) -m pytest tests/launch $(ARGS)

test-browser: $(VENV)/.dev frontend ## Run the journeys of all roles in Chromium
	@$(PY) -m pytest tests/browser $(ARGS)

scale: $(VENV)/.dev ## Test several machines behind HAProxy and PgBouncer, under load (names what is not installed)
	@$(PY) -m pytest tests/scale -p no:cacheprovider $(ARGS)

chaos: $(VENV)/.dev ## Break a small fleet at random under load, and check every write (ARGS="--minutes 5 --seed 7 --faults 'disk full'")
	@$(PY) -m tests.chaos $(ARGS)

soak: $(VENV)/.dev ## Load a small fleet for 30 minutes; nothing may grow or fail (ARGS="--minutes 120")
	@$(PY) -m tests.chaos.soak $(ARGS)

test-frontend: $(VENV)/.dev ## Run the unit tests of the web application
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm test -- $(ARGS)

frontend-lint: $(VENV)/.dev ## Run Prettier, eslint and oxlint
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent lint && npm run --silent lint:promises

frontend-types: $(VENV)/.dev ## Run vue-tsc
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent types

##@ Measure
bench: $(VENV)/.dev ## Run the benchmarks, each against its baseline (ARGS="name ..." for some)
	@$(PY) -m benchmarks $(ARGS)

lighthouse: $(VENV)/.dev ## Measure the public pages: Lighthouse's mobile preset, TLS, HTTP/2, medians of five (ARGS="landing --runs 1")
	@$(PY) -m benchmarks.lighthouse $(ARGS)

bench-data: $(VENV)/.dev ## Fill a database for the benchmarks: SCALE=small, large, larger or huge
	@$(PY) -m benchmarks.data --scale $(SCALE) $(ARGS)

bench-statements: $(VENV)/.dev ## Print what each frequent statement reads: SCALE=small, large, larger or huge
	@$(PY) -m benchmarks.statements $(SCALE)

bench-compare: $(VENV)/.dev ## Compare this checkout with an earlier commit: REF=commit
	@$(PY) -m benchmarks.compare $(REF)

bench-compare-work: $(VENV)/.dev ## Compare jobs, mails, exports and sign-ins with an earlier commit: REF=commit
	@$(PY) -m benchmarks.compare_work $(REF) $(ARGS)

##@ Develop
install: $(VENV)/.runtime ## Install what the product needs
telemetry: $(VENV)/.telemetry ## Install what sends spans to an OpenTelemetry collector (docs/how-to/monitor.md)
install-dev: $(VENV)/.dev ## Install what the tests need

frontend: $(VENV)/.runtime ## Build the web application into frontend/dist
	@$(PY) -m backend.launch.frontend

openapi: $(VENV)/.runtime ## Regenerate openapi.json and the web application's client
	@$(FLASK) openapi > openapi.json.new
	@mv openapi.json.new openapi.json
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent api

generate: openapi ## Regenerate all generated files
	@$(PY) -m backend.settings > .env.example
	@$(FLASK) lifecycle > docs/lifecycle.md
	@$(PY) deploy/grafana/dashboard.py > deploy/grafana/doorstep.json
	@$(PY) deploy/prometheus/rule_object.py > deploy/kubernetes/components/monitoring/alerts.yaml
	@$(PY) -m benchmarks.capacity
	@for page in settings jobs metrics; do $(FLASK) reference $$page > docs/reference/$$page.md || exit 1; done
	@cd frontend && npm version --silent --no-git-tag-version --allow-same-version $(VERSION) >/dev/null

docs: $(DOCS_VENV)/.installed ## Build the documentation site into build/docs
	@$(DOCS_VENV)/bin/python docs/site/build.py

docs-screenshots: $(VENV)/.dev ## Draw the pictures of the documentation again, from the demo
	@$(PY) -m tests.screenshots

format: $(VENV)/.dev ## Format Python, Vue and TypeScript files
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format .
	@$(PY) -m backend.launch.frontend install
	@cd frontend && npm run --silent format

lock: $(VENV)/.dev ## Regenerate the lock files, changing only what pyproject.toml requires (ARGS=--upgrade for all)
	@sh .ci/lock $(ARGS)

sbom: $(VENV)/.dev ## Write a software bill of materials (CycloneDX) to build/
	@sh .ci/sbom

audit: $(VENV)/.dev ## Check locked packages for known vulnerabilities (needs the network)
	@sh .ci/audit

clean: ## Remove build results and caches; keeps data and settings
	@rm -rf build frontend/dist frontend/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(VENV) .venv .venv-*
	@find backend tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-zA-Z][a-zA-Z -]*:.*## / {sub(/: test-%.*/, "", $$1); printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment. A stamp is written only after success, so an interrupted step runs again.
$(VENV)/.made:
	@sh .ci/make-venv "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock
	@sh .ci/in-use "$(VENV)"
	@echo "Installing Python packages (hashes checked) ..."
	@$(PIP_INSTALL) -r requirements.lock || { sh .ci/explain-pip; exit 1; }
	@touch $@

$(VENV)/.telemetry: $(VENV)/.runtime requirements-telemetry.lock
	@sh .ci/in-use "$(VENV)" "stop it first, then make telemetry run"
	@echo "Installing Python packages for spans (hashes checked) ..."
	@$(PIP_INSTALL) -r requirements-telemetry.lock || { sh .ci/explain-pip; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing Python packages for tests (hashes checked) ..."
	@$(PIP_INSTALL) -r requirements-dev.lock || { sh .ci/explain-pip; exit 1; }
	@touch $@

$(DOCS_VENV)/.installed: requirements-docs.lock
	@sh .ci/make-venv "$(PYTHON)" "$(DOCS_VENV)"
	@echo "Installing the documentation's generator (hashes checked) ..."
	@$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements-docs.lock || { sh .ci/explain-pip; exit 1; }
	@touch $@
