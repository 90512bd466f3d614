# Chasqui. Needs Python 3.11 or newer and make; everything else is installed here, into .venv and .venv-ministack.

PYTHON ?= python3
BACKEND ?= moto
BIN := .venv/bin
# The stamp carries the lock's checksum: a changed lock installs again, an unchanged one never.
INSTALLED := .venv/.installed-$(shell cksum requirements/dev.txt | cut -d' ' -f1)
MINISTACK := .venv-ministack/.installed-$(shell cksum requirements/ministack.txt | cut -d' ' -f1)
EMULATOR := $(if $(filter ministack,$(BACKEND)),$(MINISTACK))
# Three at a time: some of the time is waiting (tests/order.py says which where, and in what order).
PYTEST ?= -n 3
# Chaos is on ministack where BACKEND is not given, and so is the small one of the tests: moto does one call at a time,
# and takes several times as long.
CHAOS_BACKEND := $(if $(filter file,$(origin BACKEND)),ministack,$(BACKEND))
SOURCES := app.py chalicelib functions smpp_bridge infra tests
# Every process of a run, and every worker of the tests, would otherwise compile all of ours anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.SECONDARY: # the interpreters are no throw-away steps
.PHONY: help run audit chaos test check bench package lock clean

help: ## this list
	@echo "make TARGET, where TARGET is"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) $(EMULATOR) ## the whole platform on this machine, until Ctrl-C (BACKEND=moto or ministack)
	@BACKEND=$(BACKEND) exec $(BIN)/python -m infra.local

audit: $(INSTALLED) ## hold the running platform's books against each other (AUDIT="--since DAY --until DAY --json")
	@exec $(BIN)/python -m infra.local.audit $(AUDIT)

chaos: $(INSTALLED) $(if $(filter ministack,$(CHAOS_BACKEND)),$(MINISTACK)) ## load, kills, cuts, faults; then every message accounted for (CHAOS_SEED, CHAOS_MESSAGES)
	@BACKEND=$(CHAOS_BACKEND) exec $(BIN)/python -m infra.local.chaos

test: $(INSTALLED) $(MINISTACK) ## every test
	$(BIN)/python -m pytest $(PYTEST)

check: $(INSTALLED) $(MINISTACK) ## what CI runs: format, lint, types, imports, templates, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/*.yaml
	$(BIN)/python -m pytest $(PYTEST)

bench: $(INSTALLED) $(EMULATOR) ## the benchmarks: text, codec, bridge, customers, end to end (BACKEND, BENCH_MESSAGES; BENCH="fuzz" for a million mutated PDUs, or another by name)
	@BACKEND=$(BACKEND) exec $(BIN)/python -m tests.bench.run $(BENCH)

package: $(INSTALLED) ## the deployment of stage prod, in dist/
	$(BIN)/python -m infra.package --stage prod dist

lock: $(INSTALLED) ## pin the requirements anew, from requirements/*.in
	$(BIN)/pip install --quiet uv==0.13.9
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements/lambda.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements/bridge.in -c requirements.txt -o smpp_bridge/requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements/dev.in -c requirements.txt -c smpp_bridge/requirements.txt -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header requirements/ministack.in -o requirements/ministack.txt

clean: ## remove what the targets above made
	rm -rf .venv .venv-ministack .run dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed-%: | .venv/bin/python
	$(BIN)/python -m pip install --progress-bar on -r requirements/dev.txt
	@rm -f .venv/.installed-*
	@touch $@

.venv-ministack/.installed-%: | .venv-ministack/bin/python
	.venv-ministack/bin/python -m pip install --progress-bar on -r requirements/ministack.txt
	@rm -f .venv-ministack/.installed-*
	@touch $@

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Chasqui needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $*
