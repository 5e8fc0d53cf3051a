# Everything a newcomer types. Each target sets up what it needs; a second run of the same finds it there.
#   make drill [ARGS='--port 3100 --no-browser']   the bot against the practice world
#   make test  [ARGS='-k pause']                    linters, types, import contracts, all tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SUPPLY := .venv-supply
ARGS   ?=
NPM_INSTALL := PATH="$(CURDIR)/$(BIN):$$PATH" npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
NPM    := $(shell command -v npm 2>/dev/null)

.PHONY: drill test soak mutants bench lint clean lock screenshots docs sbom audit

drill: $(VENV)/.drill node_modules/.drill
	@exec $(BIN)/musd-bot drill $(ARGS)

# Tests, and the files in which one failed once more with the machine to themselves: four practice worlds on two cores
# can be slower than what a test waits for. What fails there too has failed. (5: ARGS chose none of them.)
define tested
	@$(BIN)/pytest $(1) $(ARGS); ended=$$?; if [ $$ended = 1 ]; then \
	  echo "make test: once more, one after another, the files in which something failed"; \
	  $(BIN)/pytest --again $(2) $(ARGS); ended=$$?; fi; [ $$ended = 0 ] || [ $$ended = 5 ]
endef

# Most of a test is waiting for a world to move, so two of them share a core; what takes times has the machine to itself.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
test: lint node_modules/.test
	$(call tested,-n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not alone",-m "not alone")
	$(call tested,-m alone,-m alone)

# The kill tests at every boundary, a hundred rounds of random deaths, the approval machine at length: hours.
soak: $(VENV)/.test node_modules/.test
	MUSD_SOAK=$(or $(ROUNDS),100) $(BIN)/pytest tests/e2e/test_kills.py tests/e2e/test_rotation.py tests/e2e/test_database.py \
	  tests/property $(ARGS)

# Every small change of the approval core, against its pure tests: a few minutes. None survives, so that one that does is news.
mutants: $(VENV)/.mutants
	rm -rf mutants
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

# What matters, timed on this machine beside the runbook's own way.
bench: $(VENV)/.test node_modules/.test
	$(BIN)/python -m scripts.bench $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

screenshots: $(VENV)/.test node_modules/.drill
	$(BIN)/python scripts/screenshot.py

# Pages that are made from the code; tests hold them to it.
docs: $(VENV)/.test
	$(BIN)/musd-bot config reference > docs/configuration.md
	$(BIN)/musd-bot runbooks --write docs/runbooks

# What the image is made of, as CycloneDX; and whether any of it is known to be vulnerable, which a network service knows.
sbom: $(SUPPLY)/.done
	@mkdir -p var
	$(SUPPLY)/bin/cyclonedx-py requirements --output-reproducible --of JSON -o var/sbom.json requirements/bot.txt

audit: $(SUPPLY)/.done
	@$(SUPPLY)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements/bot.txt || { \
	  echo "make audit: NOT passed. Either a package above is vulnerable, or the advisory service could not be asked: then" \
	    "nothing is known, and it has to be run again where the network is."; exit 1; }

clean:
	rm -rf $(VENV) $(SUPPLY) node_modules var mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- what the targets stand on ---------------------------------------------------------------------------------------

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "musd-bot needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.drill: requirements/drill.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/drill.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.drill

# Tools that look at the lock, apart from what they look at.
$(SUPPLY)/.done: requirements/supply.txt
	$(PYTHON) -m venv $(SUPPLY)
	$(SUPPLY)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/supply.txt
	@touch $@

$(VENV)/.mutants: requirements/mutants.txt $(VENV)/.test
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mutants.txt
	@touch $@

# No npm on this machine? A wheel brings one, into the same virtual environment.
$(VENV)/.npm: requirements/node.txt | $(VENV)/bin/python
ifeq ($(NPM),)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt
endif
	@touch $@

# The drill needs the practice chain alone; the tests also compile its contracts and run a second Slack client.
# Exact versions and no lock: a lock would have to name anvil's builds for platforms that not every registry carries.
node_modules/.drill: package.json | $(VENV)/.npm
	$(NPM_INSTALL) --omit=dev
	@touch $@

node_modules/.test: package.json | $(VENV)/.npm
	$(NPM_INSTALL)
	@touch $@ node_modules/.drill

lock:
	for extra in drill test; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --extra drill $$( [ $$extra = test ] && echo --extra test ) pyproject.toml requirements/build.in \
	    -o requirements/$$extra.txt; done
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  pyproject.toml requirements/build.in -o requirements/bot.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  requirements/node.in -o requirements/node.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  requirements/supply.in -o requirements/supply.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  requirements/mutants.in -c requirements/test.txt -o requirements/mutants.txt
