# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTHON2 ?= python2.7
# These judge what becomes of the media: a busy machine would be part of the road.
ALONE := tests/network tests/e2e/test_simulcast.py
CONFORMANCE := URL TOKEN WHEP_URL WHEP_TOKEN OFF_AIR_URL REDIRECT_URL WHEP_REDIRECT_URL CA FLOOD STRICT REPORT

.PHONY: run test check types style bench fuzz ledger autobahn conformance lock clean install install-dev

run: install ## serve the demo shop and a live show
	$(BIN)/kkot serve --demo

# tests/conformance is named so that its table, and what it did not show, is printed.
test: check ## everything: style, types, unit, integration and browser tests
	@deploy/install-test-tools
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder \
		$(addprefix --ignore=,tests/test_tidy.py $(ALONE)) tests tests/conformance
	$(BIN)/python -m pytest $(ALONE)

check: install-dev ## style and types only, side by side
	@$(MAKE) --no-print-directory -j2 types style

types:
	$(BIN)/mypy

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest tests/test_tidy.py

bench: install-dev ## measure; each benchmark prints its floor beside its figure
	@deploy/install-test-tools
	$(BIN)/python -m tests.bench

fuzz: install-dev ## ask everything /openapi.json tells, in good form and bad, for ten minutes
	$(BIN)/python -m tests.whole.fuzz

ledger: install-dev ## the whole ledger as one machine whose nodes die, for ten minutes or more
	KKOT_LEDGER_EXAMPLES=400 $(BIN)/python -m pytest tests/cart/test_ledger_machine.py

autobahn: export PYTHONUSERBASE = $(abspath $(VENV)/autobahn)
autobahn: install-dev ## Autobahn's websocket cases against the room's; the suite needs PYTHON2
	@$(PYTHON2) -m pip install --quiet --user autobahntestsuite==0.8.2
	$(BIN)/python -m tests.autobahn $(PYTHON2) -m autobahntestsuite.wstest

conformance: install-dev ## judge any WHIP and WHEP server: URL, TOKEN, WHEP_URL; see tests/conformance
	@env $(foreach name,$(CONFORMANCE),CONFORMANCE_$(name)='$($(name))') \
		$(BIN)/python -m pytest --confcutdir=tests/conformance tests/conformance

install: $(VENV)/.run
install-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Kkot needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "This Python cannot make virtual environments: install python3-venv"; exit 1; }

$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

lock: install-dev ## renew the lock files from pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-trusted-host --no-emit-find-links -o requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-trusted-host --no-emit-find-links --allow-unsafe --extra dev \
		-c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## forget everything that was built, and the data folder
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
