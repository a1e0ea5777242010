# Three commands on a machine with Python 3.11 or newer: make run, make test, make check.
# ARGS is passed on: make run ARGS=--json; make test ARGS="-k accept". PYTHON=python3.12 chooses the interpreter.

.DEFAULT_GOAL := run
.PHONY: run test test-all test-dates mutants chaos bench screenshots check format lock audit sbom clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON :=
SBOM := sbom.json
# A month end, New Year, 29 February, the nights of the two changes of clocks, and two years ahead; local to Chicago.
DATES := 2027-01-31 2026-12-31T23:30 2028-02-29 2027-03-14T01:50 2026-11-01T01:40 2028-11-30
BIN := .venv/bin
LOCKED := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
COMPILE := $(BIN)/uv pip compile pyproject.toml $(LOCKED)

# uv knows nothing of pip's settings; these lines hand them over. Where uv still finds no packages, pip installs them itself.
define install
	index="$${PIP_INDEX_URL:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}"; \
	[ -z "$$index" ] || export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"; \
	[ -z "$$PIP_CERT" ] || export SSL_CERT_FILE="$${SSL_CERT_FILE:-$$PIP_CERT}"; \
	{ $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) \
	|| $(BIN)/pip install --quiet --require-hashes -r $(1); } >&2
endef

run: .venv/installed
	@$(BIN)/python -m portal.cli up $(ARGS)

test: .venv/installed-dev
	@$(BIN)/python -m tests.programs
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

test-all: .venv/installed-dev ## what `make test` runs on one database, on both; 50,000 requests of the fuzzer; three quarters of an hour
	@$(BIN)/python -m tests.programs
	@$(BIN)/python -m pytest -n 3 --dist worksteal --database both --long --fuzz 50000 $(ARGS)

chaos: .venv/installed-dev ## 2,000 kills over 10,000 accepted change orders, on each database; takes hours; `make test-all` has the short one
	@$(BIN)/python -m tests.programs
	@$(BIN)/python -m tests.chaos.long $(ARGS)

test-dates: .venv/installed-dev ## all tests on each of the days that break programs; takes hours
	@$(BIN)/python -m tests.programs
	@set -e; for today in $(DATES); do \
	$(BIN)/python -m pytest -n 3 --dist worksteal --database sqlite --today $$today $(ARGS); done

mutants: .venv/installed-dev ## break 300 places that decide about money, one at a time; the tests must catch nine of ten; an hour
	@$(BIN)/python -m tests.mutants $(ARGS)

bench: .venv/installed-dev ## the Ready page beside its peers, in less than 5 minutes; fails when a ratio is under its bound by more than a tenth
	@$(BIN)/python -m benchmarks.ready_page --short $(ARGS)

screenshots: .venv/installed-dev ## the pictures of the handbook, taken again
	@$(BIN)/python -m tests.programs
	@$(BIN)/python -m pytest -q --database sqlite tests/docs/screenshots.py

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/uv ## after a change of dependencies in pyproject.toml; UPGRADE=--upgrade takes newer versions
	$(COMPILE) $(UPGRADE) --output-file requirements.lock
	$(COMPILE) $(UPGRADE) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(BIN)/uv pip compile $(LOCKED) $(UPGRADE) --group build --constraint requirements-dev.lock --output-file requirements-build.lock

audit: .venv/installed-dev ## known holes in the packages of requirements.lock
	@sh .ci/audit $(BIN)/pip-audit

sbom: .venv/installed-dev ## what runs in production, as CycloneDX; SBOM=other.json
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o $(SBOM) requirements.lock 2>/dev/null
	@echo "$(SBOM) names what runs in production."

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.venv/installed: requirements.lock .venv/uv
	@echo "Installing packages ..." >&2
	@$(call install,requirements.lock)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation --editable . >&2
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	@echo "Installing tools for tests and checks ..." >&2
	@$(call install,requirements-dev.lock)
	@touch $@

.venv/uv: requirements-build.lock
	@python=$$(sh .ci/python $(PYTHON)) && echo "Creating .venv with $$python ..." >&2 && $$python -m venv .venv >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock >&2
	@touch $@
