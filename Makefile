# Needs Python 3.11-3.13 and nothing else: uv comes into .uv, everything else into .venv.
UV_VERSION := 0.13.9
ARGS ?=
# One more than there are cores: two on two cores leave half of them idle, because many tests wait for servers.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) < 3 ? $$(getconf _NPROCESSORS_ONLN) + 1 : 4 )))

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo "$$python" && break; done)

export UV_PYTHON_DOWNLOADS := never
# Without bytecode kept, MLflow takes 17 s to import instead of 7, at every start.
unexport PYTHONDONTWRITEBYTECODE
# Behind a company's proxy only the machine's own certificates help; a bare machine has none, and uv brings some.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= 1
endif

.DEFAULT_GOAL := help
.PHONY: help up down test calendar chaos lint check prose bench docs screenshots sync

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

up: .venv/.run  ## Start everything and follow the alerts (ARGS="--feed replay --replay PATH", ARGS=--detach, ...)
	@.venv/bin/edge up $(ARGS)

down: .venv/.run  ## Stop everything
	@.venv/bin/edge down $(ARGS)

# test_up starts a whole stack and runs alone: with another worker on two cores its MLflow takes five minutes to start.
# It is not traced, which would make ten processes half as slow again; the other tests are, except those marked `untraced`.
# The others are distributed by file, so that each file's fixtures are made once, the long ones first; every worker has its own servers.
test: .venv/.dev  ## Run the tests; without ARGS with the coverage gate (ARGS="-k name")
	@rm -f .coverage .coverage.*
	$(if $(ARGS),,.venv/bin/pytest tests/e2e/test_up.py)
	.venv/bin/coverage run -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder \
		$(or $(ARGS),--ignore=tests/e2e/test_up.py --ignore=tests/e2e/test_calendar.py)
	@.venv/bin/coverage combine --quiet
	$(if $(ARGS),,.venv/bin/coverage report)

calendar: .venv/.dev  ## Run the tests that depend on the calendar again, at six special moments (CI does)
	.venv/bin/pytest tests/e2e/test_calendar.py

chaos: .venv/.dev  ## Break what it depends on, and check that it recovers: under ten minutes
	.venv/bin/pytest -m chaos $(or $(ARGS),tests)

lint: .venv/.dev  ## Check style, types, import boundaries, wording and commit messages
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	@if [ -n "$$(find dbt_project -name '*.sql' -print -quit)" ]; then \
		echo .venv/bin/sqlfluff lint dbt_project && .venv/bin/sqlfluff lint dbt_project; fi
	.venv/bin/python .ci/commit_subjects.py
	.venv/bin/python .ci/prose.py

# Long tests, and those of indirect users of what changed, run in `make test` only.
check: .venv/.dev  ## Check style, types and the tests of what differs from main, within two minutes
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	.venv/bin/mypy
	@.venv/bin/python .ci/changed.py sql | xargs --no-run-if-empty .venv/bin/sqlfluff lint
	@tests=$$(.venv/bin/python .ci/changed.py tests); [ -z "$$tests" ] || .venv/bin/pytest -q $$tests $(ARGS) \
		--numprocesses=$(WORKERS) --dist=loadfile -m "not untraced and not chaos" || [ $$? -eq 5 ]

prose: .venv/.dev  ## Check only the wording, against .ci/prose.toml (ARGS=edge_assets/store, ARGS=--count)
	@.venv/bin/python .ci/prose.py $(ARGS)

bench: .venv/.dev  ## Print the benchmarks' figures and a table of them (ARGS="-k market", ARGS="--json FILE")
	@.venv/bin/pytest -q --no-header -o python_files='bench_*.py' -o norecursedirs='.*' tests/benchmarks $(ARGS)

docs: .venv/.dev  ## Build the documents into docs/_build/html, with the references made from the code
	.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build/html

screenshots: .venv/.dev  ## Take the pictures of the board from a running simulation
	.venv/bin/python -m docs.screenshots

sync: .venv/.dev  ## Install everything that development needs

.uv/$(UV_VERSION):
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11, 3.12 or 3.13 is needed, and none is on the PATH." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# --inexact: what `make sync` has added stays.
.venv/.run: pyproject.toml uv.lock .uv/$(UV_VERSION)
	.uv/bin/uv sync --frozen --no-dev --inexact --python $(PYTHON)
	@touch $@

.venv/.dev: .venv/.run
	.uv/bin/uv sync --frozen --python $(PYTHON)
	@touch $@
