PYTHON ?= python3
SYSTEM ?= lexohub
VENV := .venv
BIN := $(VENV)/bin
# much of the time goes into starting processes: they find their modules compiled
export PYTHONDONTWRITEBYTECODE :=
READY := $(VENV)/.ready
COMPILE := $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

.PHONY: gameday test lint types contract tests faults bench detect install lock clean

gameday: install ## one whole game day on this machine; fails unless the run passed
	@$(BIN)/gameday run $(SYSTEM)-local --env local

test: lint types contract tests ## everything CI runs

lint: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install
	@$(BIN)/mypy

contract: install
	@$(BIN)/lint-imports

tests: install # by file, in the order of tests/conftest.py: what a file's tests share (a region, say) is started once
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not proof"

faults: install ## the slow proofs: each local fault on a whole region, the AWS CLI, a driver killed at every step
	@$(BIN)/python -m pytest -m proof

bench: install ## beside k6 and stock Locust on this machine; a table, and bench/results.json
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
	@$(BIN)/python -m bench

detect: install ## is every planted defect caught, and nothing else? an hour; a table, and detect/results.json
	@$(BIN)/python -m detect

install: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version.split()[0] + " (make PYTHON=...)")'
	@echo "installing into $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true # what cannot be compiled is never imported
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

lock: install ## resolve pyproject.toml again; hashes in, index addresses out
	@$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	@$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	@echo k6 | $(COMPILE) - -o bench/requirements.lock
	@rm -rf $(VENV)-lock

clean: ## remove what make made; run folders stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +
