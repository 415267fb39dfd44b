# `make demo` and `make test` do their own set-up: virtual environments from lock files, in this folder, without root.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

BIN := .venv/bin
LAB := .venv/installed
WAREHOUSE := .venv-warehouse/installed
WORKER := .venv-worker/installed
PYTEST_ARGS ?=

.PHONY: help demo certify engines drills loop soak attack audit up test check types rules docs bench images bare lock clean install

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(LAB) $(WAREHOUSE) ## run the whole path on this machine: about three minutes, then the verdict
	@$(BIN)/tinybeam lab demo

certify: $(LAB) $(WAREHOUSE) ## take a bad day three ways into three warehouses and certify that they hold the same
	@$(BIN)/tinybeam lab certify

up: $(LAB) $(WAREHOUSE) ## keep the whole path running until Ctrl-C
	@$(BIN)/tinybeam lab up

test: check $(WAREHOUSE) ## run every check and every test
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal $(PYTEST_ARGS)

check: $(LAB) ## run the checks alone: style, types, import contracts, dead code, generated files, SQL, documents
	@$(MAKE) --jobs 2 --output-sync=target types rules

types: $(LAB) ## check types alone
	@$(BIN)/mypy

rules: $(LAB) ## run every check but that of types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports
	@$(BIN)/vulture
	@$(BIN)/python -m schemas --check
	@$(BIN)/python -m configuration --check
	@$(BIN)/python -m bench.report --check
	@$(BIN)/python -m lab.soak.report --check
	@$(BIN)/python -m lab.attack.report --check
	@$(BIN)/python -m docs.generate --check
	@$(BIN)/python -m deploy.generate --check
	@$(BIN)/tinybeam sql check --offline
	@$(BIN)/python -m deploy.audit --if-there
	@$(MAKE) docs

docs: $(LAB) ## make the documentation's site in build/site; a warning is an error
	@$(BIN)/sphinx-build -q -E -W --keep-going -d build/doctrees -b html docs build/site

drills: $(LAB) $(WAREHOUSE) ## play what goes wrong in the field in compressed time, and let the oracle judge: figures in build/drills
	@$(BIN)/tinybeam lab drill

loop: $(LAB) $(WAREHOUSE) ## let fields teach a better model, sign it, try it on some gateways and run it on all: figures in build/loop
	@$(BIN)/tinybeam lab loop

soak: $(LAB) $(WAREHOUSE) ## hold the promises at their long numbers, one after the other: hours, resumed where it ended, figures in build/soak
	@$(BIN)/tinybeam lab soak

attack: $(LAB) $(WAREHOUSE) ## make every attempt of the table of attacks: figures in build/attack
	@$(BIN)/tinybeam lab attack

engines: $(LAB) $(WAREHOUSE) $(WORKER) ## kill a pipeline 50 times, and take a day through each engine: forty minutes, figures in build/engines
	@$(BIN)/tinybeam lab engines

bench: $(LAB) $(WAREHOUSE) ## measure against what else one would use: a quarter of an hour, figures in build/bench
	@$(BIN)/python -m bench

images: $(LAB) ## build the images of deploy/images where Docker runs, and write the bill of materials of each: build/images
	@mkdir -p build/images
	@for image in gateway notifier pipeline dataflow; do $(BIN)/python -m deploy.sbom $$image --output build/images/$$image.cdx.json; done
	@if docker info >/dev/null 2>&1; then for image in gateway notifier pipeline; do \
		docker build --file deploy/images/Dockerfile --target $$image --tag tinybeam-$$image .; done; \
	else echo "tinybeam: Docker does not run here, so no image was built; the bills of materials are in build/images"; fi

audit: $(LAB) ## look what the locks name up in a copy of the database of advisories, in build/advisories: deploy/README.md
	@$(BIN)/python -m deploy.audit

bare: ## run make demo and make test on a bare Debian 12 and 13, before a release: needs root and debootstrap, takes half an hour each
	@.ci/bare

install: $(LAB) $(WAREHOUSE) ## make the virtual environments and nothing else

lock: $(LAB) ## write the lock files anew from setup.py and requirements/warehouse.in (UPGRADE=--upgrade: newest versions)
	@$(BIN)/uv pip compile setup.py --extra lab --extra dev --constraint requirements/lab-constraints.txt \
		--python-version 3.11 --output-file requirements/lab.txt $(LOCK)
	@$(BIN)/uv pip compile requirements/warehouse.in --override requirements/warehouse-overrides.txt \
		--python-version 3.13 --output-file requirements/warehouse.txt $(LOCK)
	@for extra in edge notify; do $(BIN)/uv pip compile setup.py --extra $$extra --constraint requirements/lab.txt \
		--python-version 3.11 --output-file requirements/$$extra.txt $(LOCK); done
	@$(BIN)/uv pip compile setup.py --extra pipeline --constraint requirements/lab.txt \
		--python-version 3.11 --output-file requirements/worker.txt $(LOCK)

LOCK = --universal --generate-hashes --no-header --no-annotate --quiet $(UPGRADE)

clean: ## remove everything that make made
	rm -rf .venv .venv-warehouse .venv-worker .uv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(LAB): requirements/lab.txt requirements/install.py setup.py
	@python=; for one in python3.11 python3.12 python3.13 python3.14 python3; do \
		if $$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$one; break; fi; done; \
	if [ -z "$$python" ]; then echo "tinybeam: Python 3.11 or newer was not found on PATH: install it, then run this again" >&2; exit 1; fi; \
	$$python requirements/install.py lab

$(WAREHOUSE): requirements/warehouse.txt requirements/install.py | $(LAB)
	@$(BIN)/python requirements/install.py warehouse

$(WORKER): requirements/worker.txt requirements/install.py | $(LAB)
	@$(BIN)/python requirements/install.py worker
