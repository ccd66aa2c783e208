# `make` lists what can be done. Everything happens in .venv beside this file; only Python 3.11+, its venv module
# and make need to be there.

PYTHON ?= python3
# Many tests wait for programs that they started, so one more than there are cores on a small machine.
PROCESSES ?= 3
ARGS ?=

V := .venv/bin/python
PIP := $(V) -m pip --disable-pip-version-check install --quiet --root-user-action=ignore
export PIP_NO_WARN_SCRIPT_LOCATION := 1
# Tests and the demo start programs by the hundred; what one has compiled the next need not.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo hub test test-browser test-services axe screenshots check bench docs lock clean

help:  ## list the targets
	@echo "hashshare: make TARGET [ARGS=\"...\"]"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | awk -F': *' '{printf "  %-14s %s\n", $$1, $$2}'

setup: .venv/ready  ## make .venv with the locked packages

.venv/ready: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is older. Say which to use: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up .venv (a minute or so, once)" >&2
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: .venv/ready  ## tell the whole story on this machine; ARGS="--once --json" ends by itself
	@$(V) -m demo $(ARGS)

hub: .venv/ready  ## run a hub here; ARGS="--port 8001"
	@$(V) manage.py hub $(ARGS)

test: .venv/ready  ## run the tests; no server needs to run; ARGS="tests/wire -k manifest"
	@$(V) -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

test-browser: .venv/ready axe  ## the pages in Chromium, with axe-core; nothing is skipped
	@HASHSHARE_TEST_BROWSER=1 $(V) -m pytest tests/browser $(ARGS)

screenshots: .venv/ready  ## every main page, light and dark, desktop and telephone, into build/screenshots
	@$(V) -m tests.browser.screenshots $(ARGS)

axe: build/browser/ready  ## fetch the accessibility checker of the tests in a browser (needs npm)

build/browser/ready: tests/browser/package.json tests/browser/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing. On Debian or Ubuntu: apt-get install npm" >&2; exit 1; }
	@mkdir -p build/browser && cp tests/browser/package.json tests/browser/package-lock.json build/browser/
	@npm ci --prefix build/browser --ignore-scripts --no-audit --no-fund --silent
	@touch $@

test-services: .venv/ready  ## the tests on a real PostgreSQL, RabbitMQ, Valkey or Redis and nginx, given by environment
	@: $${HASHSHARE_TEST_DATABASE_URL:?Say which server, as in postgresql://user:password@127.0.0.1/test}
	@: $${HASHSHARE_TEST_RABBITMQ_URL:?Say which broker, as in amqp://guest:guest@127.0.0.1//}
	@: $${HASHSHARE_TEST_REDIS_URL:?Say which server, as in redis://127.0.0.1:6379/0}
	@$(V) -m pytest -m services -n $(PROCESSES) $(ARGS)

check: .venv/ready  ## lint, format, types, imports, migrations, docs
	@$(V) -m ruff check .
	@$(V) -m ruff format --check .
	@$(V) -m mypy
	@.venv/bin/lint-imports
	@$(V) manage.py makemigrations --check --dry-run
	@$(V) -m mkdocs build --strict --quiet --site-dir build/site
	@echo "check: clean"

bench: .venv/ready  ## measure, each figure beside a rival; results in benchmarks/results.json
	@$(V) -m benchmarks $(ARGS)

docs: .venv/ready  ## serve the documentation on this machine
	@$(V) -m mkdocs serve

# uv is fetched into a folder of its own: nothing else needs it.
lock: .venv/ready  ## choose the newest fitting packages and write requirements.txt
	@test -x build/uv/bin/uv || $(PIP) --target build/uv uv
	@build/uv/bin/uv pip compile pyproject.toml --extra hub --extra redis --extra s3 --extra hsm --extra embedded --extra dev \
	  --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
	  --output-file build/requirements.txt
	@{ echo "# Every package of hashshare, its hub, tests and checks, locked with hashes. Made by: make lock"; \
	  cat build/requirements.txt; } > requirements.txt
	@echo "requirements.txt: $$(grep -c '^[a-z]' requirements.txt) packages"

clean:  ## remove .venv, build/ and caches; keeps var/, where a hub's data is
	@rm -rf .venv build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
